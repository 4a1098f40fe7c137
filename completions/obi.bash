# bash completion for obi, written by `obi completion bash`
_obi() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=
	COMPREPLY=()
	if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help ]]; then
		COMPREPLY=($(compgen -W "trace top sql report doctor protocols completion help" -- "$cur"))
		return
	fi
	case $prev in
	--side) COMPREPLY=($(compgen -W "client server" -- "$cur")); return ;;
	--proto) COMPREPLY=($(compgen -W "http postgresql mysql redis memcached fastcgi nats mqtt dns uwsgi scgi http2 grpc kafka mongodb amqp websocket cassandra clickhouse mssql tls ssh smtp proxy ldap socks" -- "$cur")); return ;;
	-o | --output) COMPREPLY=($(compgen -W "tui text json csv otlp" -- "$cur")); return ;;
	--cgroup | -w | --write | --export | -r | --read) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	-p | --pid | --comm | --exe | --user | --port | --local-port | --remote-port | --ip | --method | --path | --route | --ignore-route | --status | --query | --key | --slower | --bigger | -F | --filter | --sample | --recipe | -D | --define | -g | --by | -s | --sort | --top | --columns | --rotate | --keep | --otlp | --header | --theme | -d | --duration | --count | -i | --interval | --mem | --payload | --ring | --fail-if | --alert) return ;;
	esac
	case ${COMP_WORDS[1]} in
	trace) words="-p --pid --no-follow --comm --exe --cgroup --user -a --all --port --local-port --remote-port --ip --side --proto --method --path --route --ignore-route --status --query --key --slower --bigger --errors -F --filter --sample -o --output --columns -w --write --rotate --keep --split -r --read --otlp --show-secrets --header --body --no-color --ascii --no-mouse --theme -d --duration --count -i --interval --mem --payload --ring --fail-empty -q --quiet -v --verbose -V --version -h --help" ;;
	top) words="-p --pid --no-follow --comm --exe --cgroup --user -a --all --port --local-port --remote-port --ip --side --proto --method --path --route --ignore-route --status --query --key --slower --bigger --errors -F --filter --sample -g --by -s --sort --top -o --output --columns --export -r --read --show-secrets --header --body --no-color --ascii --no-mouse --theme -d --duration --once -i --interval --mem --payload --ring --fail-empty --fail-if --alert -q --quiet -v --verbose -V --version -h --help" ;;
	sql) words="-p --pid --no-follow --comm --exe --cgroup --user -a --all --port --local-port --remote-port --ip --side --proto --method --path --route --ignore-route --status --query --key --slower --bigger --errors -F --filter --sample --recipe -D --define -o --output -r --read --show-secrets --header --body --no-color -d --duration --mem --payload --ring --fail-empty -q --quiet -v --verbose -V --version -h --help" ;;
	report) words="--port --local-port --remote-port --ip --side --proto --method --path --route --ignore-route --status --query --key --slower --bigger --errors -F --filter -w --write -r --read --show-secrets --mem -q --quiet -v --verbose -V --version -h --help" ;;
	doctor) words="-p --pid --comm --exe --cgroup --user -a --all -o --output --no-color -d --duration --pipeline -q --quiet -v --verbose -V --version -h --help" ;;
	protocols) words="-o --output -q --quiet -v --verbose -V --version -h --help" ;;
	completion) words="-q --quiet -v --verbose -V --version -h --help" ;;
	help) words="-q --quiet -v --verbose -V --version -h --help" ;;
	esac
	[[ ${COMP_WORDS[1]} == completion && $cur != -* ]] && words="bash zsh fish"
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _obi obi
