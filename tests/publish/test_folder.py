from pathlib import Path

import pytest

from aggregator.publish import folder
from aggregator.publish.folder import ASIDE, MANIFEST, Built, Manifest, NotOurs


def files(path: Path) -> set[str]:
    return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}


def put(path: Path, **bodies: bytes) -> None:
    staged = [folder.stage(path, file, body) for file, body in bodies.items()]
    folder.put_in_place(path, [one for one in staged if one])


def test_a_manifest_is_read_as_it_was_stored(tmp_path: Path) -> None:
    manifest = Manifest(
        site="s",
        scopes={"all": 3},
        sources={"a": "1"},
        entries={7: ("a", "d", 0)},
        named={"category": ["x"]},
        files={"/": Built("index.html", "", (1, 2), ("/help",))},
        is_finished=True,
    )
    folder.save(tmp_path, manifest)
    assert folder.load(tmp_path) == manifest


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1}'])
def test_a_manifest_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    assert folder.load(tmp_path) == Manifest()


def test_a_folder_with_files_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotOurs, match="files that no build wrote"), folder.opened(tmp_path):
        pass
    assert files(tmp_path) == {"thesis.txt"}


def test_two_builds_of_one_folder_are_refused(tmp_path: Path) -> None:
    with (
        folder.opened(tmp_path / "new"),
        pytest.raises(NotOurs, match="another build"),
        folder.opened(tmp_path / "new"),
    ):
        pass


def test_files_are_staged_and_put_in_place(tmp_path: Path) -> None:
    with folder.opened(tmp_path):
        put(tmp_path, **{"a/b.html": b"1", "c.html": b"2"})
        before = (tmp_path / "c.html").stat().st_mtime_ns
        assert folder.stage(tmp_path, "c.html", b"2") is None
        changed = folder.stage(tmp_path, "a/b.html", b"3")
        new = folder.stage(tmp_path, "d/e/f.html", b"4")
        assert changed is not None
        assert new is not None
        assert (changed.outcome, new.outcome) == ("changed", "new")
        assert (tmp_path / "a/b.html").read_bytes() == b"1"
        folder.put_in_place(tmp_path, [changed, new])
    assert files(tmp_path) == {"a/b.html", "c.html", "d/e/f.html"}
    assert (tmp_path / "a/b.html").read_bytes() == b"3"
    assert (tmp_path / "c.html").stat().st_mtime_ns == before


def test_removed_files_leave_no_empty_folders(tmp_path: Path) -> None:
    with folder.opened(tmp_path):
        put(tmp_path, **{"a/b/c.html": b"1", "a/d.html": b"2", "e/f.html": b"3"})
        assert folder.remove(tmp_path, ["a/b/c.html", "e/f.html", "never/was.html"]) == 2
    assert files(tmp_path) == {"a/d.html"}
    assert not (tmp_path / "a/b").exists()
    assert not (tmp_path / "e").exists()


def test_what_an_interrupted_build_staged_is_dropped(tmp_path: Path) -> None:
    (tmp_path / ASIDE).mkdir()
    (tmp_path / ASIDE / "1-1").write_text("half")
    with folder.opened(tmp_path):
        assert files(tmp_path) == set()
    assert not (tmp_path / ASIDE).exists()
