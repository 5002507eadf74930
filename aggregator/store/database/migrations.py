"""The schema, as a list of migrations to append to; each runs in one transaction."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import, and rarely needed
    from sqlite_utils import Database

APPLICATION_ID = 0x46656564  # "Feed", so that `file` and `open` tell our databases from others

Migration = Callable[["Database"], None]

MIGRATIONS: list[Migration] = []


def migration(function: Migration) -> Migration:
    """Append a function to the list; its name identifies it."""
    MIGRATIONS.append(function)
    return function


@migration
def main_job(db: "Database") -> None:
    """Create sources with their state, entries with their aliases, and the bounded logs."""
    db.table("sources").create(
        {
            "id": str,
            "url": str,
            "title": str,
            "position": int,
            "enabled": int,
            "configured": int,
            "host": str,
            "added_at": str,
            "feed_title": str,
            "link": str,
            "feed": str,
            "moved_to": str,
            "move": str,
            "discovered_url": str,
            "validators_url": str,
            "etag": str,
            "last_modified": str,
            "lifetime": int,
            "gate_from": str,
            "gate_until": str,
            "failures": int,
            "health": str,
            "health_since": str,
            "error": str,
            "error_kind": str,
            "polls": int,
            "last_poll_at": str,
            "last_ok_at": str,
            "last_change_at": str,
            "next_poll_at": str,
            "next_poll_reason": str,
            "milliseconds": int,
            "body_bytes": int,
            "entries": int,
        },
        pk="id",
        not_null={"url", "title", "enabled", "configured", "host", "next_poll_at"},
        defaults={
            "title": "",
            "position": 0,
            "enabled": 1,
            "configured": 1,
            "feed_title": "",
            "link": "",
            "feed": "{}",
            "moved_to": "",
            "move": "",
            "discovered_url": "",
            "validators_url": "",
            "etag": "",
            "last_modified": "",
            "failures": 0,
            "health": "new",
            "error": "",
            "error_kind": "",
            "polls": 0,
            "next_poll_reason": "",
            "milliseconds": 0,
            "body_bytes": 0,
            "entries": 0,
        },
    )
    db.execute(
        "create index sources_due on sources(next_poll_at, host) where enabled and configured"
    )
    db.execute("create index sources_host on sources(host)")
    db.execute("create index sources_url on sources(url)")
    db.execute(
        "create table source_sections (source_id text not null references sources(id),"
        " section text not null, primary key (source_id, section)) without rowid"
    )
    db.execute(
        "create table documents (source_id text primary key references sources(id),"
        " body_hash blob not null, item_hashes blob not null, entry_ids blob not null)"
        " without rowid"
    )
    # autoincrement: the id of an expired entry must never be reused.
    db.execute(
        "create table entries (id integer primary key autoincrement,"
        " source_id text not null references sources(id), guid text not null, uri text not null,"
        " url text not null, canonical_url text not null, title text not null,"
        " summary text not null, content text not null, text text not null, published text,"
        " updated text, first_seen text not null, last_seen text, changed text not null,"
        " sort_at text not null, withdrawn text, hidden text, language text not null,"
        " audio integer not null, video integer not null, picture integer not null,"
        " authors text not null, categories text not null, enclosures text not null,"
        " image text not null, origin text not null, via text not null, comments text not null,"
        " extensions text not null, fingerprint blob not null)"
    )
    db.execute("create index entries_newest on entries(sort_at, id) where hidden is null")
    db.execute("create index entries_source on entries(source_id, sort_at, id)")
    db.execute("create index entries_changed on entries(changed, id) where hidden is null")
    db.execute("create index entries_language on entries(language, sort_at, id)")
    db.execute("create index entries_audio on entries(sort_at, id) where audio")
    db.execute("create index entries_video on entries(sort_at, id) where video")
    db.execute("create index entries_last_seen on entries(last_seen) where last_seen is not null")
    for noun, column in (("section", "section"), ("category", "category"), ("author", "author")):
        db.execute(
            f"create table entry_{noun} ({column} text not null, sort_at text not null,"
            f" entry_id integer not null, primary key ({column}, sort_at, entry_id)) without rowid"
        )
        db.execute(f"create index entry_{noun}_entry on entry_{noun}(entry_id)")
    # Aliases outlive their entry, so that an expired item is still known when it returns.
    db.execute(
        "create table aliases (key blob primary key, entry_id integer not null) without rowid"
    )
    db.execute(
        "create table versions (entry_id integer not null references entries(id) on delete cascade,"
        " until text not null, title text not null, text text not null, content text not null,"
        " primary key (entry_id, until)) without rowid"
    )
    # The slot is the poll's number modulo the log's length: the log is bounded without a purge.
    db.execute(
        "create table polls (source_id text not null references sources(id), slot integer not null,"
        " at text not null, outcome text not null, status integer not null,"
        " milliseconds integer not null, bytes integer not null, conditional integer not null,"
        " new integer not null, changed integer not null, detail text not null,"
        " next_poll_at text not null, reason text not null, primary key (source_id, slot))"
        " without rowid"
    )
    db.execute(
        "create table days (source_id text not null, day text not null, new integer not null,"
        " changed integer not null, polls integer not null, failed integer not null,"
        " primary key (source_id, day)) without rowid"
    )
    db.execute("create index days_day on days(day)")
    db.execute(
        "create table hours (hour text primary key, polls integer not null,"
        " not_modified integer not null, equal integer not null, failed integer not null,"
        " bytes integer not null, saved integer not null, new integer not null,"
        " changed integer not null) without rowid"
    )
    db.execute(
        "create table hosts (host text primary key, requests integer not null default 0,"
        " not_modified integer not null default 0, bytes integer not null default 0,"
        " saved integer not null default 0, unconditional integer not null default 0,"
        " early integer not null default 0, failed integer not null default 0,"
        " spacing real not null default 0, limited integer not null default 0, gate_until text)"
        " without rowid"
    )
    db.execute(
        "create table incidents (id integer primary key, source_id text not null,"
        " kind text not null, opened text not null, closed text, changed text not null,"
        " detail text not null)"
    )
    db.execute("create index incidents_open on incidents(source_id, kind) where closed is null")
    db.execute("create index incidents_changed on incidents(changed, id)")
    db.execute(
        "create table changes (scope text primary key, version integer not null, at text not null)"
        " without rowid"
    )
    db.execute("create table facts (name text primary key, value text not null) without rowid")
    db.table("entries").enable_fts(["title", "text"], tokenize="unicode61 remove_diacritics 2")
    # Inserts are indexed in bulk, once per transaction; a trigger costs seven times more.
    db.execute(
        "create trigger entries_fts_delete after delete on entries begin"
        " insert into entries_fts(entries_fts, rowid, title, text)"
        " values ('delete', old.id, old.title, old.text); end"
    )
    db.execute(
        "create trigger entries_fts_update after update of title, text on entries begin"
        " insert into entries_fts(entries_fts, rowid, title, text)"
        " values ('delete', old.id, old.title, old.text);"
        " insert into entries_fts(rowid, title, text)"
        " values (new.id, new.title, new.text); end"
    )


@migration
def archives(db: "Database") -> None:
    """Create the archives of merged feeds: their ranges, and their documents."""
    db.execute(
        "create table archives (view text not null, number integer not null,"
        " after_id integer not null, last_id integer not null, primary key (view, number))"
        " without rowid"
    )
    db.execute(
        "create table archive_documents (id integer primary key, view text not null,"
        " number integer not null, variant text not null, body blob not null,"
        " unique (view, number, variant))"
    )
    db.execute(
        "create index entries_withdrawn on entries(withdrawn, id) where withdrawn is not null"
    )


@migration
def planned_at(db: "Database") -> None:
    """Store when each plan was made, to find plans made by a wrong clock."""
    db.execute("alter table sources add column planned_at text")
    db.execute("update sources set planned_at = coalesce(last_poll_at, added_at)")


@migration
def pace(db: "Database") -> None:
    """Store each feed's publication statistics, so that polls need not read the latest entries."""
    db.execute("alter table sources add column gap integer")
    db.execute("alter table sources add column newest_at text")


@migration
def rules(db: "Database") -> None:
    """Store the ruling of each entry."""
    db.execute("alter table entries add column sections text")
    db.execute("alter table entries add column tags text not null default ''")
    db.execute("alter table entries add column ruled text not null default ''")
    db.execute("alter table entries add column priority integer not null default 0")
    db.execute("create index entries_priority on entries(sort_at, id) where priority")
    db.execute(
        "create table entry_view (view text not null, sort_at text not null,"
        " entry_id integer not null, primary key (view, sort_at, entry_id)) without rowid"
    )
    db.execute("create index entry_view_entry on entry_view(entry_id)")
    db.execute("alter table sources add column rules text not null default ''")


@migration
def websub(db: "Database") -> None:
    """Create our subscriptions with their inbox, and our hub's subscribers with their log."""
    # Sources with a hub are looked up every few seconds.
    db.execute(
        "create index sources_hubs on sources(id) where json_extract(feed, '$.hubs') is not null"
    )
    db.execute(
        "create table subscriptions (token text primary key,"
        " source_id text not null references sources(id), hub text not null, topic text not null,"
        " callback text not null, secret text not null, state text not null, since text not null,"
        " act_at text, failures integer not null default 0, detail text not null default '',"
        " active_since text, lease_until text, pushes integer not null default 0,"
        " ignored integer not null default 0, last_push_at text, suspected text,"
        " algorithm text not null default '') without rowid"
    )
    db.execute("create index subscriptions_source on subscriptions(source_id)")
    db.execute("create index subscriptions_act on subscriptions(act_at) where act_at is not null")
    db.execute(
        "create table inbox (id integer primary key autoincrement,"
        " source_id text not null references sources(id), at text not null, topic text not null,"
        " content_type text not null, body blob not null)"
    )
    db.execute("create index inbox_source on inbox(source_id, id)")
    db.execute(
        "create table topics (url text primary key, version integer not null,"
        " digest text not null) without rowid"
    )
    db.execute(
        "create table subscribers (id integer primary key autoincrement, topic text not null,"
        " callback text not null, host text not null, secret text not null,"
        " verified text not null, lease_until text not null,"
        " attempts integer not null default 0, failures integer not null default 0, due_at text,"
        " last_at text, detail text not null default '', unique (topic, callback))"
    )
    db.execute("create index subscribers_due on subscribers(due_at) where due_at is not null")
    db.execute("create index subscribers_lease on subscribers(lease_until)")
    db.execute(
        "create table wishes (id integer primary key autoincrement, topic text not null,"
        " callback text not null, host text not null, mode text not null, secret text not null,"
        " lease integer not null, due_at text not null, attempts integer not null default 0,"
        " unique (topic, callback))"
    )
    db.execute(
        "create table deliveries (id integer primary key autoincrement, at text not null,"
        " kind text not null, topic text not null, callback text not null,"
        " status integer not null, milliseconds integer not null, detail text not null)"
    )


@migration
def stories(db: "Database") -> None:
    """Create stories with their members, and the keys by which a new entry finds its story."""
    # A story has the id of its first entry.
    db.execute(
        "create table story_members (entry_id integer primary key references entries(id)"
        " on delete cascade, story_id integer not null, source_id text not null, at text not null,"
        " reason text not null, similarity real not null)"
    )
    db.execute("create index story_members_story on story_members(story_id, entry_id)")
    db.execute(
        "create index story_members_begun on story_members(at, story_id) where entry_id = story_id"
    )
    # The number of slots bounds the cost of a lookup, however many entries share a key.
    db.execute(
        "create table story_keys (key integer not null, slot integer not null,"
        " entry_id integer not null, until integer not null, primary key (key, slot)) without rowid"
    )


@migration
def gaps(db: "Database") -> None:
    """Store the next older part of a feed to fetch, and how much sooner to poll after a gap."""
    db.execute("alter table sources add column fill_url text not null default ''")
    db.execute("alter table sources add column fill_left integer not null default 0")
    db.execute("alter table sources add column hurry integer not null default 0")


@migration
def corrections(db: "Database") -> None:
    """Index the latest corrections."""
    db.execute("create index versions_until on versions(until, entry_id)")


@migration
def editions(db: "Database") -> None:
    """Index withdrawn entries in the order of lists, for views of past times."""
    db.execute(
        "create index entries_taken_back on entries(sort_at, id) where withdrawn is not null"
    )


@migration
def recognised(db: "Database") -> None:
    """Store the keys that identify each entry, and the key that last did."""
    db.execute("alter table entries add column known_by text not null default ''")
    db.execute("alter table entries add column matched text not null default ''")


@migration
def larger_batches(db: "Database") -> None:
    """Quadruple the memory of the search index before it writes, so that it merges less often."""
    db.execute("insert into entries_fts(entries_fts, rank) values ('hashsize', 4194304)")


@migration
def unread_dates(db: "Database") -> None:
    """Keep the text of a date that can't be read, for `explain`."""
    db.execute("alter table entries add column unread_date text not null default ''")


@migration
def capped_waits(db: "Database") -> None:
    """End the waits of more than 30 days that an earlier version accepted (Retry-After)."""
    db.execute(
        "update sources set gate_from = null, gate_until = null, next_poll_at = planned_at,"
        " next_poll_reason = 'Retry-After was longer than 30 days'"
        " where gate_until > strftime('%Y-%m-%dT%H:%M:%SZ', gate_from, '+30 days')"
    )


@migration
def refused_validators(db: "Database") -> None:
    """Count the conditional requests in a row that a source's server answered with an error."""
    db.execute("alter table sources add column refused_validators integer not null default 0")


@migration
def applied_settings(db: "Database") -> None:
    """Store the settings that each source was last polled with, to notice changed ones."""
    db.execute("alter table sources add column every integer")
    db.execute("alter table sources add column settings text not null default ''")


@migration
def renamed_sources(db: "Database") -> None:
    """Keep the name that each source's keys are made of, and the earlier ids of renamed sources."""
    db.execute("alter table sources add column identity text not null default ''")
    db.execute("create table renamed (old text primary key, new text not null) without rowid")


@migration
def retractions(db: "Database") -> None:
    """Store which entries their publisher retracted, and those that may have been."""
    db.execute("alter table entries add column retracted text")
    db.execute("alter table sources add column absences text not null default ''")


@migration
def error_status(db: "Database") -> None:
    """Store the status code of a source's last failure, which pages show with its name."""
    db.execute("alter table sources add column error_status integer not null default 0")


@migration
def poll_histograms(db: "Database") -> None:
    """Count polls by how long they took and how much they received."""
    db.execute(
        "create table poll_histograms (name text, bucket integer, polls integer not null,"
        " total real not null, primary key (name, bucket)) without rowid"
    )


@migration
def link_parameters(db: "Database") -> None:
    """Store which parameters of a source's links change from poll to poll, such as session ids."""
    db.execute("alter table sources add column link_parameters text not null default '[]'")


@migration
def history(db: "Database") -> None:
    """Sum up polls by source and hour too, with bytes and response times, for charts."""
    # NULL, not 0: the response times and bytes of earlier polls are not known.
    db.execute("alter table hours add column milliseconds integer")
    db.execute("alter table days add column bytes integer")
    db.execute("alter table days add column milliseconds integer")
    # The hour comes first, so that the polls of a batch write neighbouring rows.
    db.execute(
        "create table source_hours (hour text not null, source_id text not null,"
        " polls integer not null, failed integer not null, bytes integer not null,"
        " new integer not null, milliseconds integer not null,"
        " primary key (hour, source_id)) without rowid"
    )


@migration
def folded_search(db: "Database") -> None:
    """Index folded words, and pairs of characters of scripts without spaces between words.

    Stored entries are indexed in the background (`store.entries.search_index`), the newest first.
    """
    for name in ("delete", "update"):
        db.execute(f"drop trigger if exists entries_fts_{name}")
    db.execute("drop table entries_fts")
    # The words are made by `indexed`, a function of our connections; nothing is stored twice, and
    # the index is not ranked, so the lengths of texts are left out.
    db.execute(
        "create virtual table entries_fts using fts5(title, text, content='', columnsize=0,"
        " tokenize='ascii')"
    )
    db.execute("insert into entries_fts(entries_fts, rank) values ('hashsize', 4194304)")
    db.execute(
        "insert into facts select 'unindexed', cast(max(id) as text) from entries having max(id)"
    )
    # To delete a text that is not in the index would damage it.
    is_indexed = (
        "old.id > coalesce((select cast(value as integer) from facts where name = 'unindexed'), 0)"
    )
    delete = (
        " insert into entries_fts(entries_fts, rowid, title, text)"
        " values ('delete', old.id, indexed(old.title), indexed(old.text));"
    )
    db.execute(
        f"create trigger entries_fts_delete after delete on entries when {is_indexed}"
        f" begin{delete} end"
    )
    db.execute(
        "create trigger entries_fts_update after update of title, text on entries"
        f" when {is_indexed} begin{delete}"
        " insert into entries_fts(rowid, title, text)"
        " values (new.id, indexed(new.title), indexed(new.text)); end"
    )


@migration
def icons(db: "Database") -> None:
    """Store the icons of sources, and when each is looked up again."""
    db.execute("alter table sources add column icon text not null default ''")
    db.execute("alter table sources add column icon_due_at text not null default ''")
    db.execute(
        "create index sources_icon_due on sources(icon_due_at)"
        " where enabled and configured and last_ok_at is not null"
    )
    db.execute(
        "create table icons (place text primary key, hash text not null, url text not null,"
        " etag text not null, last_modified text not null, image blob not null,"
        " failures integer not null, due_at text not null, reason text not null)"
    )
    db.execute("create index icons_hash on icons(hash) where hash != ''")


@migration
def page_texts(db: "Database") -> None:
    """Create the queue of pages to fetch for the text of entries, and keep each robots.txt."""
    db.execute("alter table entries add column text_from text not null default ''")
    db.execute(
        "create table page_queue (entry_id integer primary key references entries(id)"
        " on delete cascade, source_id text not null, url text not null, host text not null,"
        " page text not null, due_at text, attempts integer not null default 0,"
        " moves integer not null default 0, feed_length integer not null,"
        " outcome text not null default '', detail text not null default '', settled_at text,"
        " etag text not null default '', last_modified text not null default '',"
        " validators_url text not null default '')"
    )
    db.execute("create index page_queue_due on page_queue(due_at, host) where due_at is not null")
    db.execute("create index page_queue_page on page_queue(page) where outcome = 'page'")
    db.execute("create index page_queue_source on page_queue(source_id, settled_at)")
    db.execute(
        "create table robots (origin text primary key, until text not null, body text)"
        " without rowid"
    )


@migration
def edits(db: "Database") -> None:
    """Keep the changes that the options of a source made in each entry, for `explain`."""
    db.execute("alter table entries add column edits text not null default ''")


@migration
def story_evidence(db: "Database") -> None:
    """Store what an entry and the first of its story agree in; create tables to rebuild stories."""
    db.execute("alter table story_members add column evidence text not null default ''")
    db.execute(
        "create table story_members_draft (entry_id integer primary key references entries(id)"
        " on delete cascade, story_id integer not null, source_id text not null, at text not null,"
        " reason text not null, similarity real not null, evidence text not null)"
    )
    db.execute("create index story_members_draft_story on story_members_draft(story_id, entry_id)")
    db.execute(
        "create table story_keys_draft (key integer not null, slot integer not null,"
        " entry_id integer not null, until integer not null, primary key (key, slot)) without rowid"
    )


@migration
def limited_hosts(db: "Database") -> None:
    """Index the hosts that were rate-limited, which each batch of polls asks for."""
    db.execute("create index hosts_spaced on hosts(host, spacing) where spacing > 0")


@migration
def polls_by_slot(db: "Database") -> None:
    """Store the last polls by slot, then source: sources polled together share few pages."""
    db.execute("alter table polls rename to polls_by_source")
    db.execute(
        "create table polls (source_id text not null references sources(id), slot integer not null,"
        " at text not null, outcome text not null, status integer not null,"
        " milliseconds integer not null, bytes integer not null, conditional integer not null,"
        " new integer not null, changed integer not null, detail text not null,"
        " next_poll_at text not null, reason text not null, primary key (slot, source_id))"
        " without rowid"
    )
    db.execute("insert into polls select * from polls_by_source order by slot, source_id")
    db.execute("drop table polls_by_source")


@migration
def publication_times(db: "Database") -> None:
    """Index the times of a source's entries, which each poll with news asks for.

    Their columns come after the texts: reading them from 21 entries took 5 % of such a poll.
    """
    db.execute("drop index entries_source")
    db.execute(
        "create index entries_source on entries(source_id, sort_at, id, published, first_seen)"
    )
