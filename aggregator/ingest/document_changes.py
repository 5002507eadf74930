"""What a document changed; apart from `document`, which is slow to import."""

from dataclasses import dataclass, field

from aggregator.models.entry import Absence


@dataclass(slots=True, kw_only=True)
class DocumentChanges:
    """The changes that a document made.

    Args:
        new, changed: Entry ids.
        touched: Whether any view may look different without new entries.
        known: Number of its entries that were stored before.
        gap: Why entries between the last document and this one may be missing, "" if none are.
        quarantine: Why its new entries are held back, "" if they are not.
        absences: The source's absences after this document.
        feed_lengths: Characters of the feed's text of each changed entry.
        link_parameters: The volatile parameters of the source's links after this document.
    """

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    quarantine: str = ""
    touched: bool = False
    known: int = 0
    gap: str = ""
    absences: tuple[Absence, ...] = ()
    feed_lengths: dict[int, int] = field(default_factory=dict)
    link_parameters: tuple[str, ...] = ()
