# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server (aiosmtpd) that wants a password, "secret", and throws mails away.

usage: smtp_serve.py PORT"""
import signal
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult


def authenticate(_server, _session, _envelope, _mechanism, data):
    return AuthResult(success=getattr(data, "password", b"") == b"secret", handled=False)


Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]), authenticator=authenticate,
           auth_require_tls=False, auth_required=True).start()
signal.pause()
