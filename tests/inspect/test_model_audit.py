"""The scanner looks and does nothing else: an audit hook in a process of its own ends it when it would do more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.inspect.pickles import call, name, raw, stacked, stream, system, text, zipped

HOOK = """
import json, sys
from penstock.inspect.models import scan
for path in sys.argv[1:]:  # whatever of our own is loaded when it is needed is loaded now
    scan.scan_path(path, hashing=True)
assert not {"antigravity", "this", "webbrowser"} & set(sys.modules)
done = []
def hook(event, arguments):
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        if (mode and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3):
            done.append(f"{event} {arguments}")
    elif event == "import":
        done.append(f"{event} {arguments[0]}")
    elif event == "compile":
        if arguments[0] is not None and not isinstance(arguments[0], (bytes, str)):
            done.append(event)
    elif event == "exec" or event.startswith(("socket", "subprocess", "os.system", "os.exec", "os.posix_spawn",
            "os.fork", "ctypes", "pickle", "marshal", "shutil", "urllib", "ftplib", "smtplib", "os.remove", "os.rename",
            "os.mkdir", "os.chmod", "tempfile")):
        done.append(f"{event} {str(arguments)[:200]}")
sys.addaudithook(hook)
for path in sys.argv[1:]:
    scan.scan_path(path, hashing=True)
print(json.dumps(done))
"""


def test_nothing_is_imported_run_written_or_sent(tmp_path: Path):
    evil = stream(system())
    hostile = {
        "a.pkl": evil,
        "b.pkl": stream(call(stacked("antigravity", "fly"), text("x"))),
        "c.pkl": stream(call(name("pickle", "loads"), raw(evil))),
        "d.pt": zipped({"m/data.pkl": evil, "m/version": b"3"}),
        "e.yaml": b"a: !!python/object/apply:os.system ['x']\n",
        "f.keras": zipped(
            {"config.json": b'{"class_name": "Lambda", "config": {"function": "x"}}', "metadata.json": b"{}"}
        ),
        "g.jinja": b"{{ ''.__class__.__mro__ }}",
        "h.npy": b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
        + b"\n"
        + evil,
        "repo/config.json": b'{"auto_map": {"AutoModel": "modeling_x.M"}, "key": "AKIAQ3EGRZ7VYHDWLT5K"}',
        "repo/modeling_x.py": b"import os\nos.system('x')\nexec('import this')\n",
    }
    for relative, content in hostile.items():
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths = [
        str(tmp_path / each)
        for each in ("a.pkl", "b.pkl", "c.pkl", "d.pt", "e.yaml", "f.keras", "g.jinja", "h.npy", "repo")
    ]
    done = subprocess.run([sys.executable, "-c", HOOK, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
