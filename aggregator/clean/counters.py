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
_LABELLED = re.compile(
    rf"(?:\b(?:{_NOUNS})|评论|回复|回覆|阅读|浏览|点赞|コメント|閲覧|いいね|댓글|조회)\s?[:：(\[（]\s?\Z",
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
_AGO = re.compile(r"\b\d+\s(?:second|minute|min|hour|day|week|month|year)s?\sago\b", re.IGNORECASE)
_ICONS = "❤♥👍👎💬🗨🔁⭐★👁🔥⬆▲"
_ICON = re.compile(rf"[{_ICONS}]\ufe0f?\s?\d[\d.,]*[km]?\b", re.IGNORECASE)

_DIGIT = re.compile(r"\d")
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_OPENED = re.compile(r"[:：(\[（]\s?(?=\d)")
_OPENING = ":：([（"
_ASCII_DIGITS = "0123456789"


def remove(words: str) -> str:
    """Return a text without counters.

    Args:
        words: On one line, as `text.plain` makes it.
    """
    if words.isascii():
        digits = [at for at in map(words.rfind, _ASCII_DIGITS) if at >= 0]
        if not digits:  # `find` is much faster than a pattern
            return words
        start = min(at for at in map(words.find, _ASCII_DIGITS) if at >= 0)
        is_counted = bool(_ASCII_COUNTED.search(words, start, max(digits) + LONGEST_LAST))
        numbers = _ASCII_NUMBER
    else:
        if not _DIGIT.search(words):
            return words
        if _IDEOGRAPH.search(words):
            words = _EAST_ASIAN.sub("", words)
        if any(map(words.__contains__, _ICONS)):  # a tenth of the pattern's time
            words = _ICON.sub("", words)
        is_counted, numbers = bool(_COUNTED.search(words)), _NUMBER
    if is_counted:
        words = _ROW.sub("", words)
        words = words[:-LONGEST_LAST] + _LAST.sub("", words[-LONGEST_LAST:])
    if " ago" in words:
        words = _AGO.sub("", words)
    if is_counted:
        return numbers.sub(_unless_counter, words)
    if not any(map(words.__contains__, _OPENING)):  # found much faster than by the pattern
        return words
    return _without_labelled(words, numbers)


def _without_labelled(words: str, numbers: re.Pattern[str]) -> str:
    """Return a text without numbers after a label, when no noun follows any number."""
    parts, end = list[str](), 0
    for opening in _OPENED.finditer(words):
        number = numbers.match(words, opening.end())
        if number and not _unless_counter(number):
            parts.append(words[end : number.start()])
            end = number.end()
    return "".join((*parts, words[end:])) if parts else words


def _unless_counter(number: re.Match[str]) -> str:
    words, at = number.string, number.start()
    before = words[max(0, at - 2) : at].strip()[-1:]
    is_opened = bool(before) and before in _OPENING
    is_counter = number["comments"] or (
        is_opened and (number["counted"] or _LABELLED.search(words, max(0, at - LONGEST_LABEL), at))
    )
    return "" if is_counter else number[0]
