"""One libcurl handle, used for one transfer after the other."""

import math
import socket
import ssl
from pathlib import Path

import pycurl

from aggregator.fetch import address, decoding, headers
from aggregator.fetch.attempt import Answer, Attempt, Fault
from aggregator.models.config import Limits
from aggregator.models.poll import FailureKind, Message

_IGNORED_BODY = 65_536
"""Bytes of an error's or a redirect's body that are read to keep the connection."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)

_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: (FailureKind.DNS, "the host name leads to no address"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (FailureKind.DNS, "the proxy's name leads to no address"),
    pycurl.E_COULDNT_CONNECT: (FailureKind.CONNECT, "no connection"),
    pycurl.E_SEND_ERROR: (FailureKind.CONNECT, "the connection broke before the answer"),
    pycurl.E_RECV_ERROR: (FailureKind.CONNECT, "the connection broke before the answer"),
    pycurl.E_GOT_NOTHING: (FailureKind.CONNECT, "the server closed without an answer"),
    pycurl.E_PARTIAL_FILE: (FailureKind.TRUNCATED, "the body was cut off"),
}
_TLS = frozenset(
    getattr(pycurl, name)
    for name in (
        "E_SSL_CONNECT_ERROR",
        "E_SSL_CERTPROBLEM",
        "E_SSL_CIPHER",
        "E_PEER_FAILED_VERIFICATION",
        "E_SSL_CACERT_BADFILE",
        "E_SSL_INVALIDCERTSTATUS",
        "E_SSL_PINNEDPUBKEYNOTMATCH",
    )
)
# Not named by pycurl.
_HTTP2_STREAM = 92
_TOO_LARGE = 100


class _Lent(socket.socket):
    """A socket that libcurl makes its own copy of; ours is let go without a warning."""

    def __del__(self) -> None:
        self.close()


class Handle:
    """Options that never change are set once; a transfer sets its URL, its header and no more."""

    def __init__(self, *, user_agent: str, allow: tuple[str, ...], proxy: str, tls_ca: str) -> None:
        """`tls_ca`: a PEM file of trusted authorities, "" for the system's."""
        self.easy = pycurl.Curl()
        self._attempt: Attempt
        self._allow = allow
        self._limits = Limits()
        self._total = 0.0
        self._lines: list[bytes] = []
        self._header_size = 0
        self._parts: list[bytes] = []
        self._body_size = 0
        self._body_limit = 0
        self._keep = True
        self._posting = False
        self._fault: Fault | None = None
        self._refusal: Fault | None = None
        self._set_once(user_agent, proxy, tls_ca)
        self._set_limits(self._limits)

    def start(self, attempt: Attempt) -> None:
        """Make ready for one transfer to the attempt's current target."""
        self._attempt = attempt
        self._lines = []
        self._parts = []
        self._header_size = self._body_size = self._body_limit = 0
        self._fault = self._refusal = None
        limits = attempt.request.limits
        if limits is not self._limits:
            self._set_limits(limits)
        if attempt.remaining != self._total:
            self._total = attempt.remaining
            self.easy.setopt(pycurl.TIMEOUT_MS, max(int(self._total * 1000), 1))
        self._set_message(attempt.request.message)
        self.easy.setopt(pycurl.URL, attempt.target.href)
        self.easy.setopt(pycurl.HTTPHEADER, attempt.header)

    def finish(self, code: int, message: str) -> tuple[Attempt, Answer]:
        """Return what came of it; `code` and `message` are libcurl's, 0 for a good end."""
        easy, attempt = self.easy, self._attempt
        fields, complete = headers.read(self._lines)
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        received = easy.getinfo(pycurl.SIZE_DOWNLOAD_T) + easy.getinfo(pycurl.HEADER_SIZE)
        fault = self._explain(code, message) if code else None
        if not complete and fault is None:  # libcurl lets that pass
            fault = Fault(FailureKind.TRUNCATED, "the header was cut off")
        body = b"".join(self._parts)
        if body and fault is None:
            codings = headers.members(fields, "content-encoding")
            decoded = decoding.decode(codings, body, self._limits.body)
            if isinstance(decoded, Fault):
                fault = decoded
            else:
                body = decoded
        seconds = easy.getinfo(pycurl.TOTAL_TIME)
        answer = Answer(status, fields, complete, body, seconds, received, fault)
        self._parts = []
        return attempt, answer

    # --- options -------------------------------------------------------------------------------

    def _set_once(self, user_agent: str, proxy: str, tls_ca: str) -> None:
        easy = self.easy
        easy.setopt(pycurl.USERAGENT, user_agent)
        easy.setopt(pycurl.ACCEPT_ENCODING, decoding.ACCEPTED)
        easy.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        easy.setopt(pycurl.HEADERFUNCTION, self._on_header)
        easy.setopt(pycurl.WRITEFUNCTION, self._on_body)
        # Both are set even when empty: else libcurl would take them from the environment.
        easy.setopt(pycurl.PROXY, proxy)
        easy.setopt(pycurl.NOPROXY, "")
        if not proxy:
            easy.setopt(pycurl.OPENSOCKETFUNCTION, self._on_socket)
        # A folder of certificates would be read anew for each connection; a file is cached.
        file = tls_ca or _bundle()
        if file:
            easy.setopt(pycurl.CAINFO, file)
        else:
            easy.setopt(pycurl.CAPATH, ssl.get_default_verify_paths().openssl_capath)

    def _set_limits(self, limits: Limits) -> None:
        self._limits = limits
        easy = self.easy
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(limits.connect * 1000), 1))
        easy.setopt(pycurl.LOW_SPEED_TIME, max(math.ceil(limits.idle), 1))
        easy.setopt(pycurl.MAXFILESIZE_LARGE, limits.body)

    def _set_message(self, message: Message | None) -> None:
        if message and message.method == "POST":
            self.easy.setopt(pycurl.POST, 1)
            self.easy.setopt(pycurl.POSTFIELDS, message.body)
            self._posting = True
        elif self._posting:
            self.easy.setopt(pycurl.POSTFIELDS, b"")  # lets the last body go
            self.easy.setopt(pycurl.HTTPGET, 1)
            self._posting = False

    # --- called by libcurl ---------------------------------------------------------------------

    def _on_socket(self, _purpose: int, peer: "pycurl.CurlSockAddr") -> "socket.socket | int":
        """Judge the very address that is about to be connected to."""
        ip, host = str(peer.addr[0]), self._attempt.target.host
        why = address.refusal(ip, host, self._allow)
        if why:
            self._refusal = Fault(FailureKind.REFUSED_ADDRESS, why)
            return pycurl.SOCKET_BAD
        return _Lent(peer.family, peer.socktype, peer.protocol)

    def _on_header(self, line: bytes) -> int | None:
        self._lines.append(line)
        self._header_size += len(line)
        if self._header_size > self._limits.header:
            words = f"the header is larger than {self._limits.header:,} bytes (limit `header`)"
            self._fault = Fault(FailureKind.TOO_LARGE, words)
            return -1
        return None

    def _on_body(self, data: bytes) -> int | None:
        if not self._body_limit:
            self._begin_body()
        self._body_size += len(data)
        if self._body_size > self._body_limit:
            if self._keep:
                self._fault = decoding.too_large(self._body_limit, "sent more")
            return -1
        if self._keep:
            self._parts.append(data)
        return None

    def _begin_body(self) -> None:
        """Decide at its first bytes whether a body is wanted."""
        status = next(line for line in reversed(self._lines) if line.startswith(b"HTTP/"))
        answers = bool(self._attempt.request.message)  # a refusal has words that help
        self._keep = answers or status.partition(b" ")[2].startswith(b"2")
        self._body_limit = self._limits.body if self._keep else _IGNORED_BODY

    # --- what went wrong -----------------------------------------------------------------------

    def _explain(self, code: int, message: str) -> Fault:
        if self._fault:
            return self._fault
        if self._refusal and code == pycurl.E_COULDNT_CONNECT:
            return self._refusal
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return self._timeout(message)
        if code == pycurl.E_FILESIZE_EXCEEDED:
            what = "sent more" if self._body_limit else "announced more"
            return decoding.too_large(self._limits.body, what)
        if code in _TLS:
            return Fault(FailureKind.TLS, f"no trustworthy TLS connection ({message})")
        if code in (pycurl.E_RECV_ERROR, _HTTP2_STREAM) and self._body_limit:
            code = pycurl.E_PARTIAL_FILE
        if code == _TOO_LARGE:
            return Fault(FailureKind.TOO_LARGE, f"the header is too large ({message})")
        kind, words = _FAULTS.get(code, (FailureKind.PROTOCOL, "no HTTP that we understand"))
        return Fault(kind, f"{words} ({message})")

    def _timeout(self, message: str) -> Fault:
        limits, easy = self._limits, self.easy
        asked = easy.getinfo(pycurl.REQUEST_SIZE) > 0
        if message.startswith("Operation too slow"):
            words = f"less than a byte a second came for {limits.idle:g} s (limit `idle`)"
        elif asked or easy.getinfo(pycurl.TOTAL_TIME) < limits.connect:
            came = self._header_size + self._body_size
            words = f"not done after {limits.total:g} s (limit `total`); {came:,} bytes came"
        else:
            words = f"no connection within {limits.connect:g} s (limit `connect`)"
        return Fault(FailureKind.TIMEOUT, words)


def _bundle() -> str:
    """Find the file of the system's trusted authorities, "" when it is nowhere we know."""
    known = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), "")
