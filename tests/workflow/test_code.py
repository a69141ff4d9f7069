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
