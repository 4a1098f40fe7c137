# SPDX-License-Identifier: GPL-3.0-or-later
"""image - one root file system with obi, four servers and their loads, as an initramfs.

usage: image.py OBI OUT.cpio.gz [GUEST PROGRAM...]

With another GUEST than guest.sh: nginx alone, and these programs.

The servers' folders are prepared here (configuration, empty databases) and keep
their paths inside. /init (GUEST) runs every load under obi and sends what
obi, servers and clients said through the second serial port.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from rig.servers import PG_BIN, MariaDB, Nginx, Postgres, Redis  # noqa: E402

PORTS = {"nginx": 18080, "back": 18081, "postgres": 15432, "mariadb": 13306, "redis": 16379}
PROGRAMS = ["/usr/sbin/nginx", "/usr/bin/setpriv"]
OF_DATABASES = ["/usr/sbin/mariadbd", "/usr/bin/redis-server", "/usr/bin/redis-cli",
                "/usr/share/mysql/english", "/usr/share/mysql/charsets", "/usr/share/zoneinfo/Etc"]
LIBS = {"redis_load": ["-lhiredis"], "pg_pipeline": ["-I/usr/include/postgresql", "-lpq"],
        "mysql_load": ["-I/usr/include/mariadb", "-lmariadb"], "http_load": [], "dns_pair": []}
NGINX_TURNS = 'location /r/ { return 200 "ok\\n"; }'  # what http_turns asks for


class Image:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="obi-image."))
        self.root.chmod(0o755)
        for d in ("proc", "sys", "dev", "run", "tmp", "etc", "bin", "out", "var/log", "var/lib", "lib64", "root"):
            (self.root / d).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)

    def add(self, path, to=None):
        """A file with the libraries that it is linked with, or a folder as it is."""
        path = pathlib.Path(path)
        dest = self.root / str(to or path).lstrip("/")
        dest.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            subprocess.run(["cp", "-a", "--no-target-directory", path, dest], check=True)
            return
        if not dest.exists():
            shutil.copy2(path, dest)
            self.libraries(path)

    def libraries(self, path):
        out = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        for lib in re.findall(r"(/\S+)", out):
            if not (self.root / lib.lstrip("/")).exists():
                self.add(os.path.realpath(lib), lib)

    def build(self, name, flags):
        """A load, from its source."""
        built = self.root / "bin" / name
        subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-o", built,
                        HERE.parent / f"load/{name}.c", *flags], check=True)
        self.libraries(built)

    def postgres(self):
        lib, share = PG_BIN.parent / "lib", f"/usr/share/postgresql/{PG_BIN.parent.name}"
        self.add(PG_BIN / "postgres")
        for name in ("dict_snowball.so", "plpgsql.so", "pg_stat_statements.so"):
            self.add(lib / name)
        self.add(share)

    def pack(self, out):
        find = subprocess.Popen(["find", ".", "-print0"], cwd=self.root, stdout=subprocess.PIPE)
        cpio = subprocess.Popen(["cpio", "-o", "-0", "-H", "newc", "--quiet"], cwd=self.root,
                                stdin=find.stdout, stdout=subprocess.PIPE)
        with open(out, "wb") as f:
            subprocess.run(["gzip", "-1"], stdin=cpio.stdout, stdout=f, check=True)
        shutil.rmtree(self.root)


def servers(databases):
    """Prepared, with fixed ports and without extras that are slow under emulation."""
    made = {"nginx": Nginx(workers=1, extra=NGINX_TURNS)}
    if databases:
        made |= {"postgres": Postgres(), "mariadb": MariaDB(), "redis": Redis()}
    for name, s in made.items():
        s.port = PORTS[name]
    made["nginx"].back = PORTS["back"]
    for s in made.values():
        s.prepare()
    if databases:
        with open(made["postgres"].dir / "data/postgresql.conf", "a") as f:
            f.write("jit = off\nshared_preload_libraries = ''\n")
    return made


def commands(made):
    """Shell variables for guest.sh: folder and start command of each server."""
    for name, s in made.items():
        argv = " ".join(str(a) for a in s.command())
        if s.user:
            argv = f"/usr/bin/setpriv --reuid={s.user} --regid={s.user} --clear-groups {argv}"
        yield f"{name}_dir='{s.dir}' {name}_start='{argv}' {name}_port={s.port}\n"


def main(obi, out, guest="guest.sh", *programs):
    databases = guest == "guest.sh"
    image = Image()
    made = servers(databases)
    try:
        for p in PROGRAMS + (OF_DATABASES if databases else []):
            if os.path.exists(p):
                image.add(p)
        if databases:
            image.postgres()
        image.add("/bin/busybox", "/bin/busybox")
        image.add(obi, "/bin/obi")
        for p in programs:
            image.add(p, f"/bin/{os.path.basename(p)}")
        for name, flags in LIBS.items() if databases else [("http_turns", [])]:
            image.build(name, flags)
        for s in made.values():
            image.add(s.dir)
        for name in ("passwd", "group", "nsswitch.conf", "protocols", "services"):
            shutil.copy(f"/etc/{name}", image.root / "etc")
        (image.root / "etc/hosts").write_text("127.0.0.1 localhost\n10.0.2.2 collector.test\n")
        (image.root / "etc/servers").write_text("".join(commands(made)))
        shutil.copy(HERE / "boot.sh", image.root / "etc")
        shutil.copy(HERE / guest, image.root / "init")
        (image.root / "init").chmod(0o755)
        image.pack(out)
    finally:
        for s in made.values():
            shutil.rmtree(s.dir, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
