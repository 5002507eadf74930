"""A real nginx in front of a server: TLS, and a path of its own."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.service import wait_for

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

_CONFIG = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        location {prefix}/ {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Prefix {prefix};
        }}
        location / {{ return 404 "nothing of this site is here"; }}
    }}
}}
"""


@contextmanager
def nginx(
    folder: Path, certificate: Path, *, port: int, prefix: str, upstream: str
) -> Iterator[None]:
    """Run nginx until the end of the context.

    Args:
        folder: For its files.
        certificate: A PEM file with certificate and key.
        port: The port to listen on.
        prefix: The path of the site, without a slash at the end.
        upstream: The URL of the server; nginx takes the prefix off if it ends in a slash.
    """
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder, certificate=certificate, port=port, prefix=prefix, upstream=upstream
        )
    )
    command = [str(PROGRAM), "-p", str(folder), "-c", str(config), "-g", "daemon off;"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _is_open(port))
            yield
        finally:
            process.terminate()


def _is_open(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
