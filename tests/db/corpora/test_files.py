"""Corpora that curators bring: kept once, by what they hold, and found again only inside the studio."""

import pytest

from db.corpora.files import folder_of, keep, locate


@pytest.fixture
def corpus_file(tmp_path):
    path = tmp_path / "CDR TestSet (1).tsv"
    path.write_text("gout\tB\n")
    return path


def test_a_file_is_kept_whole_under_its_name_and_only_once(tmp_path, corpus_file):
    kept = keep(tmp_path / "data", corpus_file)
    assert kept.endswith("/CDR-TestSet--1-.tsv")
    assert locate(tmp_path / "data", kept).read_text() == "gout\tB\n"
    corpus_file.rename(tmp_path / "upload-17")
    assert keep(tmp_path / "data", tmp_path / "upload-17", "CDR TestSet (1).tsv") == kept
    assert len([path for path in folder_of(tmp_path / "data").rglob("*") if path.is_file()]) == 1


def test_another_content_is_another_file(tmp_path, corpus_file):
    first = keep(tmp_path / "data", corpus_file)
    corpus_file.write_text("gout\tO\n")
    assert keep(tmp_path / "data", corpus_file) != first


def test_a_folder_is_kept_with_its_files_and_without_links_out_of_it(tmp_path, corpus_file):
    folder = tmp_path / "brat"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "1.txt").write_text("gout")
    (folder / "secret").symlink_to(corpus_file)
    found = locate(tmp_path / "data", keep(tmp_path / "data", folder))
    assert [path.relative_to(found).as_posix() for path in found.rglob("*")] == ["a", "a/1.txt"]


@pytest.mark.parametrize("kept", ["../studio.db", "a/../../studio.db", "/etc/passwd", "", "."])
def test_nothing_outside_is_found(tmp_path, kept):
    (tmp_path / "data" / "corpora").mkdir(parents=True)
    (tmp_path / "data" / "studio.db").write_text("x")
    with pytest.raises(ValueError, match="outside"):
        locate(tmp_path / "data", kept)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, corpus_file):
    folder = folder_of(tmp_path / "data")
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(corpus_file)
    with pytest.raises(ValueError, match="outside"):
        locate(tmp_path / "data", "link")


def test_an_empty_or_missing_file_is_refused(tmp_path):
    (tmp_path / "empty.tsv").touch()
    with pytest.raises(ValueError, match="empty"):
        keep(tmp_path / "data", tmp_path / "empty.tsv")
    with pytest.raises(ValueError, match="cannot be read"):
        keep(tmp_path / "data", tmp_path / "gone.tsv")
    with pytest.raises(ValueError, match="bring the file again"):
        locate(tmp_path / "data", "0123/gone.tsv")
