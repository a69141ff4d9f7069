from pathlib import Path

import pytest

import braindino
from braindino import code


@pytest.fixture
def script(root):
    return root / "workflow" / "scripts" / "imaging" / "shard.py"


def test_fingerprint_covers_what_a_script_imports_and_nothing_else(script, monkeypatch):
    before = code.fingerprint(script)
    read = code._text

    def changed(module):
        edited = Path(braindino.__file__).parent / module
        assert edited.is_file()
        return lambda path: read(path) + ("# edit" if path == edited else "")

    monkeypatch.setattr(code, "_text", changed("imaging/normalise.py"))
    assert code.fingerprint(script) != before
    # shard.py imports seeds.py only through normalise.py.
    monkeypatch.setattr(code, "_text", changed("seeds.py"))
    assert code.fingerprint(script) != before
    monkeypatch.setattr(code, "_text", changed("reporting/html.py"))
    assert code.fingerprint(script) == before


def test_fingerprint_covers_the_c_that_a_module_compiles(root, monkeypatch):
    script, read = root / "workflow" / "scripts" / "probes" / "probe.py", code._text
    edited = Path(braindino.__file__).parent / "probes" / "compiled.c"
    before = code.fingerprint(script)
    monkeypatch.setattr(code, "_text", lambda path: read(path) + "/**/" * (path == edited))
    assert edited.is_file()
    assert code.fingerprint(script) != before


def test_the_module_of_a_cards_class_counts_wherever_it_is(tmp_path):
    ours = code.class_fingerprint("braindino.encoders.uniformer.UniFormer", tmp_path)
    assert ours == code.fingerprint(Path(braindino.__file__).parent / "encoders" / "uniformer.py")
    assert code.class_fingerprint("monai.networks.nets.ViT", tmp_path) is None
    assert code.class_fingerprint(None, tmp_path) is None
    beside = tmp_path / "config" / "encoders" / "mine.py"
    beside.parent.mkdir(parents=True)
    beside.write_text("one")
    before = code.class_fingerprint("mine.Network", tmp_path)
    code._text.cache_clear()
    beside.write_text("two")
    assert code.class_fingerprint("mine.Network", tmp_path) != before
