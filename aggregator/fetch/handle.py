"""A libcurl handle, reused for many transfers."""

import math
import socket
import ssl
from pathlib import Path

import pycurl

from aggregator.fetch import address, decoding, headers
from aggregator.fetch.attempt import Attempt, Fault, Response
from aggregator.models import health_text
from aggregator.models.config import PLAIN_TRANSPORT, Limits, Transport
from aggregator.models.poll import FailureKind

_IGNORED_BODY = 65_536
"""Bytes of an error or redirect body that are read and dropped to keep the connection open."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)

_FAULTS = {
    pycurl.E_COULDNT_RESOLVE_HOST: (FailureKind.DNS, "can't find the host (DNS)"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (FailureKind.DNS, "can't find the proxy's host (DNS)"),
    pycurl.E_COULDNT_CONNECT: (FailureKind.CONNECT, "can't connect"),
    pycurl.E_SEND_ERROR: (FailureKind.CONNECT, "the connection broke before the response"),
    pycurl.E_RECV_ERROR: (FailureKind.CONNECT, "the connection broke before the response"),
    pycurl.E_GOT_NOTHING: (FailureKind.CONNECT, "the server closed without a response"),
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
# pycurl has no names for these.
_HTTP2_STREAM = 92
_TOO_LARGE = 100


class _DuplicatedSocket(socket.socket):
    """A socket that libcurl duplicates; closing ours must not warn."""

    def __del__(self) -> None:
        self.close()


class Handle:
    """Sets constant options once; each transfer sets only its URL, header and limits."""

    def __init__(self, *, user_agent: str, allow: tuple[str, ...], proxy: str, tls_ca: str) -> None:
        """Take the settings of requests whose `Transport` has no others.

        Args:
            user_agent: The User-Agent header.
            allow: As in `address.refusal_reason`.
            proxy: URL of a proxy, "" for none.
            tls_ca: A PEM file of trusted authorities, "" for the system's.
        """
        self.easy = pycurl.Curl()
        self._attempt: Attempt
        self._allow = allow
        self._limits = Limits()
        self._total = 0.0
        self._lines: list[bytes] = []
        self._parts: list[bytes] = []
        self._body_size = 0
        self._body_limit = 0
        self._keep = True
        self._posting = False
        self._fault: Fault | None = None
        self._refusal: Fault | None = None
        self._user_agent, self._proxy, self._ca = user_agent, proxy, tls_ca or _bundle()
        self._transport = PLAIN_TRANSPORT
        self._set_once()
        self._set_transport(self._transport)
        self._set_limits(self._limits)

    def start(self, attempt: Attempt) -> None:
        """Prepare a transfer to the attempt's current target."""
        self._attempt = attempt
        self._lines.clear()
        self._parts = []
        self._body_size = self._body_limit = 0
        self._fault = self._refusal = None
        limits = attempt.request.limits
        if limits is not self._limits:
            self._set_limits(limits)
        transport = attempt.transport
        if transport is not self._transport and transport != self._transport:
            self._set_transport(transport)
        if attempt.remaining != self._total:
            self._total = attempt.remaining
            self.easy.setopt(pycurl.TIMEOUT_MS, max(int(self._total * 1000), 1))
        self._set_body(attempt.request.post)
        self.easy.setopt(pycurl.URL, attempt.target.href)
        self.easy.setopt(pycurl.HTTPHEADER, attempt.header)

    def finish(self, code: int, message: str) -> tuple[Attempt, Response]:
        """Return the response; `code` and `message` are libcurl's, 0 and "" on success."""
        easy, attempt = self.easy, self._attempt
        fields, complete = headers.parse(self._lines)
        status = easy.getinfo(pycurl.RESPONSE_CODE)
        received = easy.getinfo(pycurl.SIZE_DOWNLOAD_T) + easy.getinfo(pycurl.HEADER_SIZE)
        fault = self._header_fault() or (self._explain(code, message) if code else None)
        if not complete and fault is None:  # libcurl accepts a truncated header
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
        response = Response(status, fields, complete, body, seconds, received, fault)
        self._parts = []
        return attempt, response

    # --- options -------------------------------------------------------------------------------

    def _set_once(self) -> None:
        easy = self.easy
        easy.setopt(pycurl.ACCEPT_ENCODING, decoding.ACCEPTED)
        easy.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        # A function of ours for each line cost more than the rest of the transfer; libcurl ends one
        # with a header of 300 kB.
        easy.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        easy.setopt(pycurl.WRITEFUNCTION, self._on_body)
        easy.setopt(pycurl.NOPROXY, "")
        # libcurl caches a certificate file, but reads a folder again for each connection.
        if not self._ca:
            easy.setopt(pycurl.CAPATH, ssl.get_default_verify_paths().openssl_capath)

    def _set_transport(self, transport: Transport) -> None:
        """Set the options of a source; libcurl reuses no connection that was made with others."""
        self._transport = transport
        easy, proxy = self.easy, transport.proxy or self._proxy
        easy.setopt(pycurl.USERAGENT, transport.user_agent or self._user_agent)
        # Set even when empty, because libcurl reads the environment otherwise.
        easy.setopt(pycurl.PROXY, proxy)
        # Through a proxy, `Lookups` checks the address.
        easy.setopt(pycurl.OPENSOCKETFUNCTION, None if proxy else self._on_socket)
        ca = transport.ca or self._ca
        if ca:
            easy.setopt(pycurl.CAINFO, ca)
        else:
            easy.unsetopt(pycurl.CAINFO)
        easy.setopt(pycurl.SSL_VERIFYPEER, 0 if transport.insecure else 1)
        easy.setopt(pycurl.SSL_VERIFYHOST, 0 if transport.insecure else 2)

    def _set_limits(self, limits: Limits) -> None:
        self._limits = limits
        easy = self.easy
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(limits.connect * 1000), 1))
        easy.setopt(pycurl.LOW_SPEED_TIME, max(math.ceil(limits.idle), 1))
        easy.setopt(pycurl.MAXFILESIZE_LARGE, limits.body)

    def _set_body(self, body: bytes | None) -> None:
        if body is not None:
            self.easy.setopt(pycurl.POST, 1)
            self.easy.setopt(pycurl.POSTFIELDS, body)
            self._posting = True
        elif self._posting:
            self.easy.setopt(pycurl.POSTFIELDS, b"")  # frees the last body
            self.easy.setopt(pycurl.HTTPGET, 1)
            self._posting = False

    # --- called by libcurl ---------------------------------------------------------------------

    def _on_socket(self, _purpose: int, peer: "pycurl.CurlSockAddr") -> "socket.socket | int":
        """Check the address that libcurl is about to connect to."""
        ip, host = str(peer.addr[0]), self._attempt.target.host
        why = address.refusal_message(ip, host, self._allow)
        if why:
            self._refusal = Fault(FailureKind.REFUSED_ADDRESS, why)
            return pycurl.SOCKET_BAD
        return _DuplicatedSocket(peer.family, peer.socktype, peer.protocol)

    def _on_body(self, data: bytes) -> int | None:
        if not self._body_limit:
            self._begin_body()
            if self._header_fault():
                return -1
        self._body_size += len(data)
        if self._body_size > self._body_limit:
            if self._keep:
                self._fault = decoding.too_large(self._body_limit, "sent more")
            return -1
        if self._keep:
            self._parts.append(data)
        return None

    def _begin_body(self) -> None:
        """Decide whether to keep a body, when its first bytes arrive."""
        status = next(line for line in reversed(self._lines) if line.startswith(b"HTTP/"))
        has_message = bool(self._attempt.request.message)  # an error body explains the refusal
        self._keep = has_message or status.partition(b" ")[2].startswith(b"2")
        self._body_limit = self._limits.body if self._keep else _IGNORED_BODY

    # --- errors --------------------------------------------------------------------------------

    @property
    def _header_size(self) -> int:
        return sum(map(len, self._lines))

    def _header_fault(self) -> Fault | None:
        if self._header_size <= self._limits.header:
            return None
        reason = f"the header is larger than {self._limits.header:,} bytes (limit `header`)"
        return Fault(FailureKind.TOO_LARGE, reason)

    def _explain(self, code: int, message: str) -> Fault:
        if self._fault:
            return self._fault
        if self._refusal and code == pycurl.E_COULDNT_CONNECT:
            return self._refusal
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return self._timeout(message)
        if code == pycurl.E_FILESIZE_EXCEEDED:
            action = "sent more" if self._body_limit else "announced more"
            return decoding.too_large(self._limits.body, action)
        if code in _TLS:
            words = health_text.certificate(message) or "the TLS connection failed"
            return Fault(FailureKind.TLS, f"{words} ({message})")
        if code in (pycurl.E_RECV_ERROR, _HTTP2_STREAM) and self._body_limit:
            code = pycurl.E_PARTIAL_FILE
        if code == _TOO_LARGE:
            return Fault(FailureKind.TOO_LARGE, f"the header is too large ({message})")
        kind, reason = _FAULTS.get(code, (FailureKind.PROTOCOL, "not a valid HTTP response"))
        return Fault(kind, f"{reason} ({message})")

    def _timeout(self, message: str) -> Fault:
        limits, easy = self._limits, self.easy
        was_sent = easy.getinfo(pycurl.REQUEST_SIZE) > 0
        if message.startswith("Operation too slow"):
            reason = f"no data for {limits.idle:g} s (limit `idle`)"
        elif was_sent or easy.getinfo(pycurl.TOTAL_TIME) < limits.connect:
            received = self._header_size + self._body_size
            reason = (
                f"not finished after {limits.total:g} s (limit `total`);"
                f" {received:,} bytes received"
            )
        else:
            reason = f"no connection within {limits.connect:g} s (limit `connect`)"
        return Fault(FailureKind.TIMEOUT, reason)


def _bundle() -> str:
    """Return the path of the system's certificate bundle, "" if there is none."""
    known = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), "")
