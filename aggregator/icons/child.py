"""Reads one picture or page in a process of its own, bounded in time and memory.

    python -m aggregator.icons.child picture              < picture > icon.png
    python -m aggregator.icons.child page URL CONTENT-TYPE < page.html > one URL a line

A process for each is affordable: a source's icon is looked up once a month. It leaves nothing in
memory in between, and no picture can change how the next one is read.
"""

import contextlib
import os
import resource
import subprocess
import sys

SECONDS = 15
"""Wall-clock limit; `CPU_SECONDS` ends a busy child on a loaded machine at the right time."""
CPU_SECONDS = 5
MEMORY = 512_000_000
LARGEST_ANSWER = 20_000
"""Bytes; an icon of 32 × 32 pixels has at most 4,300."""

_PNG = b"\x89PNG\r\n\x1a\n"


class Unreadable(Exception):
    """A child that found nothing usable, or ended early; the message says why."""


def icon(body: bytes) -> bytes:
    """Return a picture as a small PNG.

    Raises:
        Unreadable: It can't be used.
    """
    answer = _ask(body, "picture")
    if not answer.startswith(_PNG):
        raise Unreadable("was not read")
    return answer


def links(body: bytes, url: str, content_type: str) -> tuple[str, ...]:
    """Return the URLs of the icons that a page declares, none for a page that can't be read."""
    try:
        answer = _ask(body, "page", url, content_type.replace("\0", ""))
    except Unreadable:
        return ()
    return tuple(answer.decode("utf-8", "replace").split())


def _ask(body: bytes, *arguments: str) -> bytes:
    command = (sys.executable, "-m", __name__, *arguments)
    try:
        done = subprocess.run(  # noqa: S603, our own module
            command, input=body, capture_output=True, timeout=SECONDS, start_new_session=True,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unreadable("took too long to read") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"can't be read: {error}") from error
    if done.returncode == 1:
        raise Unreadable(done.stderr.decode("utf-8", "replace")[-200:].strip())
    if done.returncode or len(done.stdout) > LARGEST_ANSWER:
        raise Unreadable("broke its reader")
    return done.stdout


def main(task: str, *arguments: str) -> int:
    """Answer on standard output; exit with 1 and a reason if there is no answer."""
    body = sys.stdin.buffer.read()
    if task == "page":
        from aggregator.icons.picture import SIZE
        from aggregator.parse import icon_links

        url, content_type = arguments
        found = icon_links.icons(body, url=url, content_type=content_type, size=SIZE)
        sys.stdout.write("\n".join(found))
        return 0
    from aggregator.icons import picture

    try:
        sys.stdout.buffer.write(picture.icon(body))
    except picture.Unusable as unusable:
        sys.stderr.write(str(unusable))
        return 1
    return 0


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        os.nice(10)  # polls come first


if __name__ == "__main__":
    _bound()
    sys.exit(main(*sys.argv[1:]))
