"""Remove the counters that forums and blogs print into texts: comments, posts, points, views.

They change with each poll, so the fingerprint ignores them. Prose counts too ("won by 12 points"),
and its numbers may be corrected. So a number beside "comments" or "replies" is always a counter,
and beside another noun only in brackets, after a label, in a row of counters, or at the end.
"""

import re

LONGEST_LABEL = 24
"""Characters before a number that are searched for its label."""

LONGEST_LAST = 60
"""Characters at the end of a text that are searched for a counter."""

_COMMENTS = (
    r"comments?|repl(?:y|ies)|kommentare?|commentaires?|comentarios?|comentários?"
    r"|commenti|reacties|комментари[йяев]+|تعليق(?:ات)?|antworten|réponses?|respuestas?|respostas?"
    r"|risposte|ответ(?:а|ов)?|komentarz(?:e|y)|yorum"
)
_NOUNS = (
    rf"(?:total\s|new\s)?(?:{_COMMENTS}"
    r"|responses?|views?|reads?|shares?|likes?|points?|(?:up|down)?votes?|retweets?|posts?"
    r"|participants?|users?|voices?|topics?|answers?|favou?rites?|boosts?|reblogs?|downloads?"
    r"|claps?|reactions?|stars?|karma|score|hits?|plays?|watchers?|followers?|members?|messages?"
    r"|beiträge?|beitrag|teilnehmer|aufrufe?|stimmen?|punkte?|vues?|votants?|vistas?|puntos?"
    r"|votos?|participantes?|visualizações|visualizzazioni|просмотр(?:а|ов)?|голос(?:а|ов)?"
    r"|балл(?:а|ов)?|сообщени[ейя]+|участник(?:а|ов)?)"
)
# The digit stands first, because patterns that begin with a lookbehind are searched slowly.
_DIGITS = r"\d(?<![\w.,:-]\d)(?:[\d.,'\u202f]*\d)?\s?(?:[km]\b)?"
_ONE = rf"{_DIGITS}\s?(?:{_NOUNS})\b"
_COUNTER = (
    r"\d(?:[\d.,'\u202f]*\d)?[km]?"
    rf"(?:\s(?P<comments>{_COMMENTS})\b|\s(?P<counted>{_NOUNS})(?=\s?[)\]]))?"
)
_COUNTED = re.compile(_ONE, re.IGNORECASE)
_ASCII_COUNTED = re.compile(_ONE, re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(_COUNTER, re.IGNORECASE)
_ASCII_NUMBER = re.compile(_COUNTER, re.IGNORECASE | re.ASCII)  # equal for ASCII text, and faster
_LABEL_END = r"\s?[:：(\[（]\s?\Z"
_LABELLED = re.compile(
    rf"(?:\b(?=\w+{_LABEL_END})(?:{_NOUNS})|评论|回复|回覆|阅读|浏览|点赞|コメント|閲覧|いいね|댓글|조회){_LABEL_END}",
    re.IGNORECASE,
)
_ROW = re.compile(
    rf"{_ONE}(?:\s?(?:[|·•∙⋅–—/-]|,(?=\s?{_DIGITS}\s(?:{_COMMENTS})))\s?{_ONE})+", re.IGNORECASE
)
_LAST = re.compile(rf"(?<=[.!?…)\]»”\"'])\s{_ONE}\s?\Z", re.IGNORECASE)
_EAST_ASIAN = re.compile(
    r"\d[\d,]*\s?(?:条|則|则|件の|个|個|개의?)\s?(?:评论|評論|回复|回覆|コメント|댓글)"
    r"|(?:评论|評論|回复|回覆|阅读|阅读量|浏览|コメント|댓글|조회수?)\s?\d[\d,]*"
)
_EAST_ASIAN_NOUNS = (
    "评论", "評論", "回复", "回覆", "阅读", "浏览", "コメント", "댓글", "조회",
)  # fmt: skip
_UNITS_AGO = r"\s(?:second|minute|min|hour|day|week|month|year)s?\sago\b"
_AGO = re.compile(rf"\b\d+{_UNITS_AGO}", re.IGNORECASE)
_AFTER_AGO = re.compile(_UNITS_AGO, re.IGNORECASE)
_ICONS = "❤♥👍👎💬🗨🔁⭐★👁🔥⬆▲"
_ICON = re.compile(rf"[{_ICONS}]\ufe0f?\s?\d[\d.,]*[km]?\b", re.IGNORECASE)

_DIGIT = re.compile(r"\d")
_AFTER = re.compile(rf"\s?(?:[km]\b)?\s?(?=[^\W\d_])(?:{_NOUNS})\b", re.IGNORECASE)
_OPENINGS = frozenset(":：([（")
_OTHER_SCRIPTS = b"\xd9\xdb\xdf\xe0\xe1\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xef\xf0"
_USUAL = bytes(byte for byte in range(256) if byte not in _OTHER_SCRIPTS)
"""Bytes of UTF-8 other than those that begin an ideograph, or a digit that is not ASCII."""


def remove(words: str) -> str:
    """Return a text without counters.

    Args:
        words: On one line, as `text.plain` makes it.
    """
    is_ascii = words.isascii()
    is_usual = is_ascii or not words.encode(errors="replace").translate(None, _USUAL)
    parts = _between_digits(words, is_usual=is_usual)
    if len(parts) == 1:
        return words
    if not is_ascii:
        whole = words
        if not is_usual and any(map(words.__contains__, _EAST_ASIAN_NOUNS)):
            words = _EAST_ASIAN.sub("", words)
        if any(map(words.__contains__, _ICONS)):  # a tenth of the pattern's time
            words = _ICON.sub("", words)
        if words != whole:
            parts = _between_digits(words, is_usual=is_usual)
    counted, numbers = (_ASCII_COUNTED, _ASCII_NUMBER) if is_ascii else (_COUNTED, _NUMBER)
    # Most texts have no noun right after a number, and only the others are searched for counters.
    is_counted = any(map(_AFTER.match, filter(None, parts[1:]))) and bool(counted.search(words))
    if is_counted:
        words = _ROW.sub("", words)
        words = words[:-LONGEST_LAST] + _LAST.sub("", words[-LONGEST_LAST:])
    if " ago" in words and (is_counted or any(map(_AFTER_AGO.match, parts[1:]))):
        words = _AGO.sub("", words)
        parts = _between_digits(words, is_usual=is_usual)
    return (
        numbers.sub(_unless_counter, words)
        if is_counted
        else _without_labelled(words, parts, numbers)
    )


def _between_digits(words: str, *, is_usual: bool) -> list[str]:
    """Return the parts of a text before, between and after its digits."""
    if not is_usual:
        return _DIGIT.split(words)
    for digit in "123456789":  # much faster than the pattern
        words = words.replace(digit, "0")
    return words.split("0")


def _without_labelled(words: str, between: list[str], numbers: re.Pattern[str]) -> str:
    """Return a text without numbers after a label, when no noun follows any number.

    Args:
        between: The parts between its digits.
        numbers: Finds numbers.
    """
    parts, end, at = list[str](), 0, -1
    for before in between[:-1]:
        at += len(before) + 1
        if before and before[-2:].rstrip()[-1:] in _OPENINGS:
            number = numbers.match(words, at)
            if number and not _unless_counter(number):
                parts.append(words[end : number.start()])
                end = number.end()
    return "".join((*parts, words[end:])) if parts else words


def _unless_counter(number: re.Match[str]) -> str:
    words, at = number.string, number.start()
    before = words[max(0, at - 2) : at].strip()[-1:]
    is_opened = before in _OPENINGS
    is_counter = number["comments"] or (
        is_opened and (number["counted"] or _LABELLED.search(words, max(0, at - LONGEST_LABEL), at))
    )
    return "" if is_counter else number[0]
