"""Bytes of any encoding to UTF-8, by the labels and decoders of the WHATWG Encoding Standard.

The order of evidence is that of browsers: byte order mark, charset parameter, declaration in the
document, UTF-8. One rule goes first: bytes that are UTF-8, save for a few faults, are UTF-8,
because text of another encoding all but never looks like it. A byte that does not belong becomes
one U+FFFD and changes nothing else.

`webencodings` has the labels and Python the tables; this module adds the characters that
Python's tables lack, and the standard's rule of how many bytes a fault takes.
"""

import codecs
import re
from functools import cache, partial

import webencodings

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

MOST_FAULTS = 20_000
"""Faults that are looked at one by one; a document with more is not in the encoding it names."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The first two characters of XML and JSON are ASCII, so the zero bytes show the width.
_UNMARKED = (
    (re.compile(rb"[<{\[\s]\0\0\0[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\[\s]\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[<{\[\s]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[<{\[\s]\0[^\0]"), "utf-16-be"),
)
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARATION_ENDS = 10_000
"""Search for a declaration in this many bytes; PHP warnings may precede it."""
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([\w.:-]{1,40})["']"""
    rb"""|<meta\s[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})"""
    rb"""|<(?:[\w.-]+:)?(?:rss|feed|rdf)[\s>]""",
    re.IGNORECASE,
)

_REFUSED_BY_BROWSERS = {"hz-gb-2312": "hz", "iso-2022-kr": "iso2022_kr"}
"""Labels of the standard's "replacement" encoding that Python can decode.

Browsers refuse them since markup can hide in them; here everything is decoded before it is read.
"""
_SEVEN_BIT = frozenset({*_REFUSED_BY_BROWSERS, "iso-2022-jp"})
"""All their bytes are ASCII, so that they too are valid UTF-8."""

_OTHER_LABELS = {
    "cp932": "shift_jis",
    "cp936": "gbk",
    "cp949": "euc-kr",
    "cp950": "big5",
    "eucjp": "euc-jp",
    "euckr": "euc-kr",
    "utf8mb4": "utf-8",
}
"""Labels of databases and programs that the standard does not list."""

_SURROGATE_PAIR = re.compile(rb"(?:\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf])+")
_CUT_CHARACTER = re.compile(rb"[\xc2\xc3\xe2\xef\xf0][\x80-\xbf]{0,2}")
_RUN = re.compile(rb"[^<>]+")  # one class: a second one before it would take quadratic time
"""Text between two tags."""
_UNICODE = re.compile(r"utf-(?:8|16|32)")
_LEADS = {
    "big5": range(0x81, 0xFF),
    "euc-jp": (0x8E, 0x8F, *range(0xA1, 0xFF)),
    "euc-kr": range(0x81, 0xFF),
    "gb18030": range(0x81, 0xFF),
    "shift_jis": range(0x81, 0xFD),
}
"""First bytes of characters of several bytes."""
_CODECS = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "shift_jis": "cp932",
}
_OTHER_BYTES = {
    "koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"},
    "windows-1255": {0xCA: "\u05ba"},
}
_OTHER_CHARACTERS = {
    "big5": dict(
        zip("\u2022\uff64\u203e\u223c\u2641\u2609\uff0f\uff3c\xa5\xa2\xa3",
            "\u2027\ufe51\xaf\uff5e\u2295\u2299\u2215\ufe68\uffe5\uffe0\uffe1", strict=True)
    ),
    "euc-jp": dict(
        zip("\u301c\u2016\u2212\xa2\xa3\xac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2", strict=True)
    ),
    "gb18030": dict(
        zip("\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7"
            "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
            "\u3000\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f"
            "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb", strict=True)
    ),
    "shift_jis": dict.fromkeys("\uf8f0\uf8f1\uf8f2\uf8f3", REPLACEMENT),
}  # fmt: skip
"""Characters where Python's table differs from the standard."""
_OTHER = {name: re.compile(f"[{''.join(pairs)}]") for name, pairs in _OTHER_CHARACTERS.items()}
_HANDLERS = {name: f"aggregator.{name}" for name in _LEADS}

_JIS_ESCAPE = re.compile(rb"\x1b(\([BJI]|\$[@B])")
_HIGH = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))


def to_utf8(body: bytes, content_type: str, problems: list[str]) -> bytes:
    """Return a document's text in UTF-8, without byte order mark; never raises.

    Args:
        body: As it came, without content coding.
        content_type: The Content-Type field as sent; of it only `charset` counts.
        problems: Receives a sentence for each thing that was wrong.
    """
    body, marked = _without_mark(body)
    if marked:
        return _decoded(body, marked, problems)
    declared = _declared(body, content_type)
    stated = declared[0] if declared else "utf-8"
    if (stated not in _SEVEN_BIT or not body.isascii()) and _is_utf8(body):
        if stated != "utf-8" and not body.isascii():
            problems.append(f"declared as {stated}, but is UTF-8; read as UTF-8")
        return body
    used = _likeliest(body, declared)
    if used != stated:
        problems.append(f"declared as {stated}, but is not; read as {used}")
    return _decoded(body, used, problems)


def _without_mark(body: bytes) -> tuple[bytes, str]:
    """Return the body without its byte order mark, and the encoding that its first bytes show."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body.removeprefix(mark).removeprefix(mark), encoding  # some templates add one
    for start, encoding in _UNMARKED:
        if start.match(body):
            return body, encoding
    return body, ""


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _declared(body: bytes, content_type: str) -> tuple[str, ...]:
    """Return the known encodings that the HTTP field and the document name, in this order."""
    charset = _CHARSET.search(content_type)
    labels = [charset[1] if charset else ""]
    # The strings of JSON may hold declarations of other documents.
    is_json = body[:1000].lstrip().startswith((b"{", b"["))
    if not is_json and (declaration := _DECLARED.search(body, 0, _DECLARATION_ENDS)):
        labels.append((declaration[1] or declaration[2] or b"").decode("ascii", "replace"))
    return tuple(name for label in labels if (name := _name(label)))


def _name(label: str) -> str:
    """Return the standard's name of an encoding that a label means, "" when none can be meant."""
    label = _OTHER_LABELS.get(label.lower(), label)
    known = webencodings.lookup(label) if label.isascii() else None
    # UTF-16 shows by its first bytes. Where it does not, the declaration can't be true.
    if known is None or known.name.startswith("utf-16"):
        return ""
    if known.name == "replacement":
        return label.lower() if label.lower() in _REFUSED_BY_BROWSERS else ""
    return "gb18030" if known.name == "gbk" else known.name


def _likeliest(body: bytes, declared: tuple[str, ...]) -> str:
    """Return the encoding of bytes that are not all UTF-8.

    Faulty UTF-8 has more characters than faults. A document that is declared as UTF-8, or as
    nothing, is another encoding only when it has several faults and next to no character, and the
    faults are no remains of characters that were cut.
    """
    text = _joined_surrogates(body).decode("utf-8", "replace")
    faults = text.count(REPLACEMENT)
    characters = len(text) - len(text.encode("ascii", "ignore")) - faults
    if declared and declared[0] != "utf-8":
        return "utf-8" if characters > faults else declared[0]
    if faults < 2 or faults <= 10 * characters or _CUT_CHARACTER.sub(b"", body).isascii():
        return "utf-8"
    return next((name for name in declared if name != "utf-8"), "windows-1252")


def _read_pasted(run: re.Match[bytes]) -> bytes:
    """Return a run of text in UTF-8, read as windows-1252 if it was pasted in from such a page.

    A single fault, the remains of a cut character, or a fault beside characters stays a fault.
    """
    if run[0].isascii():
        return run[0]
    text = run[0].decode("utf-8", "replace")
    faults = text.count(REPLACEMENT)
    is_pasted = (
        faults > 1
        and len(text.encode("ascii", "ignore")) == len(text) - faults
        and not _CUT_CHARACTER.sub(b"", run[0]).isascii()
    )
    return _text(run[0], "windows-1252").encode() if is_pasted else run[0]


def _joined_surrogates(body: bytes) -> bytes:
    """Return UTF-8 in which pairs of surrogates, as Java and MySQL write them, are characters."""
    if b"\xed" not in body:
        return body
    return _SURROGATE_PAIR.sub(lambda pairs: _joined(pairs[0]), body)


def _joined(pairs: bytes) -> bytes:
    surrogates = pairs.decode("utf-8", "surrogatepass")
    return surrogates.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


def _decoded(body: bytes, encoding: str, problems: list[str]) -> bytes:
    if encoding == "utf-8":
        body = _joined_surrogates(body)
        if _is_utf8(body):
            return body
        body = _RUN.sub(_read_pasted, body)
    text = _text(body, encoding)
    if REPLACEMENT in text:
        problems.append(f"bytes that are no {encoding.upper()} were replaced by {REPLACEMENT}")
    return text.encode(errors="replace")


# --- decoders ---------------------------------------------------------------------------------


def _text(body: bytes, encoding: str) -> str:
    if encoding == "iso-2022-jp":
        body, encoding = _euc_jp(body), "euc-jp"
    if encoding in _CODECS:
        text = body.decode(_CODECS[encoding], "replace")
        if 0 < text.count(REPLACEMENT) <= MOST_FAULTS:
            text = body.decode(_CODECS[encoding], _HANDLERS[encoding])
        if other := _OTHER_CHARACTERS.get(encoding):
            text = _OTHER[encoding].sub(lambda character: other[character[0]], text)
        return text
    if encoding in _REFUSED_BY_BROWSERS or _UNICODE.match(encoding):
        return body.decode(_REFUSED_BY_BROWSERS.get(encoding, encoding), "replace")
    return codecs.charmap_decode(body, "strict", _table(encoding))[0]


@cache
def _table(encoding: str) -> str:
    """Return the 256 characters of an encoding with one byte for each."""
    other = _OTHER_BYTES.get(encoding, {})
    return "".join(other.get(byte) or _character(byte, encoding) for byte in range(256))


def _character(byte: int, encoding: str) -> str:
    try:
        return webencodings.decode(bytes([byte]), encoding, "strict")[0]
    except UnicodeDecodeError:
        return chr(byte) if byte < 0xA0 else REPLACEMENT


def _euc_jp(body: bytes) -> bytes:
    """Return an ISO-2022-JP document in EUC-JP, which has the same characters."""
    parts = _JIS_ESCAPE.split(body)
    return b"".join(map(_shifted, (b"(B", *parts[1::2]), parts[::2]))


def _shifted(mode: bytes, part: bytes) -> bytes:
    if mode == b"(I":
        return re.sub(rb"[\x21-\x5f]", lambda kana: b"\x8e" + kana[0].translate(_HIGH), part)
    return part.translate(_HIGH) if mode.startswith(b"$") else part


def _replaced(encoding: str, error: UnicodeError) -> tuple[str, int]:
    """Return the text for bytes that Python's table lacks, and the position to go on from.

    A byte after the first that is ASCII is no part of a fault: it may be markup.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start = error.start
    first, second, third = (*error.object[start : start + 3], 0, 0)[:3]
    if encoding == "gb18030" and first == 0x80:
        return "€", start + 1
    if first not in _LEADS[encoding] or second < 0x80:
        return REPLACEMENT, start + 1
    if encoding == "euc-jp" and first == 0x8F and third >= 0x80:
        return REPLACEMENT, start + 3
    return _vendor_character(first, second) if encoding == "euc-jp" else REPLACEMENT, start + 2


def _vendor_character(first: int, second: int) -> str:
    """Return a character of the rows that NEC and IBM added to JIS X 0208, which cp932 has."""
    row, cell = first - 0xA1, second - 0xA1
    if row < 0 or not 0 <= cell < 94:
        return REPLACEMENT
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
    return bytes([lead, trail]).decode("cp932", "replace")[:1]


for _encoding, _handler in _HANDLERS.items():
    codecs.register_error(_handler, partial(_replaced, _encoding))
