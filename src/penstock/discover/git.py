"""Git, read without running anything that a scanned tree brought along.

A repository's own configuration can name programs (fsmonitor, pager, signature checker, ssh command, a promisor
remote that is fetched on demand). So it is never given to git: history is read through an empty repository of our own
that borrows the object store alone; the little else we need (remote address, branch, commit) is parsed here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from penstock.errors import NotReachable, PenstockError, WrongUse

#: Newest commits that are counted for committers: years of most repositories, and bounded for the largest.
COMMITS = 5_000
#: Wall seconds for reading history, and for cloning.
HISTORY_SECONDS, CLONE_SECONDS = 10.0, 600.0
#: A clone may take so much disk.
CLONE_BYTES = 4 * 1024**3
#: Protocols that cannot start a program of the address's choosing (``ext::`` can).
PROTOCOLS = "https:ssh:file"

_URL = re.compile(r"^(?:https|ssh|file)://|^git@[\w.-]+:", re.IGNORECASE)
_OBJECT = re.compile(r"^[0-9a-f]{40}$")
_SMALL = 1 << 20


#: Name, address and number of commits of each committer, most commits first.
People = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class About:
    """What version control knows about a tree. ``note`` says what could not be read, in words."""

    remote: str = ""
    branch: str = ""
    commit: str = ""
    committers: People = ()
    note: str = ""


class History(Protocol):
    """Who committed, as read before."""

    def recall(self, root: Path, commit: str) -> People | None: ...
    def keep(self, root: Path, commit: str, people: People) -> None: ...


def is_url(target: str) -> bool:
    """Whether a target is an address to clone; ``ext::`` and the like are no addresses."""
    return bool(_URL.match(target))


def about(root: Path, known: History | None = None) -> About:
    """Remote, branch, commit and committers (most commits first) of the repository whose top is ``root``.

    Args:
        known: what was read before; git is not asked again about the same commit.
    """
    folder = _git_folder(root)
    if folder is None:
        return About()
    remote = _remote(folder)
    branch, commit = _head(folder)
    if not commit:
        return About(remote, branch)
    if known and (people := known.recall(root, commit)) is not None:
        return About(remote, branch, commit, people)
    try:
        people = _committers(folder, commit)
        if known:
            known.keep(root, commit, people)
        return About(remote, branch, commit, people)
    except PenstockError as error:
        return About(remote, branch, commit, note=error.message)


def repository_name(remote: str) -> str:
    """``owner/name`` of a remote address, with all groups between; parent and folder of a path; "" without one."""
    address = re.sub(r"^[\w.-]+@([\w.-]+):(?!//)", r"ssh://\1/", remote.strip())
    parts = urlsplit(address)
    names = [name for name in parts.path.removesuffix("/").removesuffix(".git").split("/") if name not in ("", ".")]
    if not names or ".." in names:
        return ""
    hosted = parts.scheme in ("http", "https", "ssh", "git")
    return "/".join(names if hosted else names[-2:])


def without_credentials(remote: str) -> str:
    """The address without user name, password, query and fragment."""
    parts = urlsplit(remote)
    if not parts.scheme:
        return remote
    host = parts.hostname or ""
    with contextlib.suppress(ValueError):
        host += f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=host, query="", fragment="").geturl()


@contextlib.contextmanager
def cloned(url: str, ref: str = "") -> Iterator[Path]:
    """A shallow clone in a temporary folder, without submodules, hooks, filters or links that git would follow.

    Raises:
        NotReachable: it cannot be cloned, takes too long or too much room.
    """
    if url.startswith("-") or ref.startswith("-"):
        raise WrongUse("A repository or ref cannot start with a dash", url)
    with tempfile.TemporaryDirectory(prefix="penstock-") as place:
        tree = Path(place) / "tree"
        command = ["clone", "--quiet", "--depth=200", "--single-branch", "--no-tags", "--no-recurse-submodules",
                   "--template=", *(["--branch", ref] if ref else []), "--", url, str(tree)]  # fmt: skip
        _run(command, CLONE_SECONDS, GIT_ALLOW_PROTOCOL=PROTOCOLS, watched=tree, what=without_credentials(url))
        yield tree


@contextlib.contextmanager
def at_ref(root: Path, ref: str) -> Iterator[Path]:
    """The tree of a local repository as it is at a branch, tag or commit.

    Raises:
        NotReachable: there is no such ref, or no repository.
    """
    folder = _git_folder(root)
    if folder is None:
        raise NotReachable("This folder is no git repository, so it has no refs", str(root), "Leave @… away")
    commit = ref if _OBJECT.match(ref) else next(
        (found for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/remotes/origin/{ref}", ref)
         if (found := _resolve(folder, name))), "")  # fmt: skip
    if not commit:
        raise NotReachable(f"There is no ref {ref!r}", str(root), "git branch -a and git tag list what there is")
    with tempfile.TemporaryDirectory(prefix="penstock-") as place, _borrowed(folder) as bare:
        tree = Path(place) / "tree"
        tree.mkdir()
        _run(
            [f"--git-dir={bare}", f"--work-tree={tree}", "read-tree", "--reset", "-u", commit],
            CLONE_SECONDS,
            GIT_OBJECT_DIRECTORY=str(folder / "objects"),
            GIT_INDEX_FILE=str(Path(place) / "index"),
            watched=tree,
            what=f"{root}@{ref}",
        )
        yield tree


def _committers(folder: Path, commit: str) -> People:
    with _borrowed(folder) as bare:
        out = _run(
            [f"--git-dir={bare}", "log", f"--max-count={COMMITS}", "--format=%an%x00%ae", commit, "--"],
            HISTORY_SECONDS,
            GIT_OBJECT_DIRECTORY=str(folder / "objects"),
            what=str(folder),
        )
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for line in out.decode("utf-8", "replace").splitlines():
        name, _, email = line.partition("\0")
        counts[email.casefold()] += 1
        names.setdefault(email.casefold(), name)
    ranked = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return tuple((names[email], email, count) for email, count in ranked[:50])


@contextlib.contextmanager
def _borrowed(folder: Path) -> Iterator[Path]:
    """An empty bare repository of ours, to be pointed at the objects of ``folder``: none of its settings apply."""
    with tempfile.TemporaryDirectory(prefix="penstock-git-") as place:
        bare = Path(place)
        (bare / "HEAD").write_text("ref: refs/heads/none\n")
        (bare / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        for name in ("objects", "refs"):
            (bare / name).mkdir()
        if shallow := _small(folder / "shallow"):
            (bare / "shallow").write_text(shallow)
        yield bare


def _run(command: list[str], seconds: float, *, what: str, watched: Path | None = None, **variables: str) -> bytes:
    """Run git with no configuration but ours, capped in time and, for what it writes, in room."""
    program = shutil.which("git")
    if program is None:
        raise NotReachable("git is not installed, so history and committers were not read", what, "Install git")
    with tempfile.TemporaryDirectory(prefix="penstock-home-") as home:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", home) if watched else home,  # ssh keys are found there when cloning
            "LANG": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            # the operator's own settings (credential helper, proxy) are needed to clone, and for nothing else
            **({} if variables.get("GIT_ALLOW_PROTOCOL") == PROTOCOLS else {"GIT_CONFIG_GLOBAL": os.devnull}),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oClearAllForwardings=yes",
            **{name: os.environ[name] for name in ("SSH_AUTH_SOCK", "SSL_CERT_FILE", "https_proxy", "HTTPS_PROXY")
               if name in os.environ},
            **variables,
        }  # fmt: skip
        guards = ["--no-pager", "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c",
                  "log.showSignature=false", "-c", "core.symlinks=false", "-c", "protocol.ext.allow=never", "-c",
                  "submodule.recurse=false", "-c", "gc.auto=0", "-c", "safe.directory=*"]  # fmt: skip
        process = subprocess.Popen(
            [program, *guards, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=home,
            start_new_session=True,  # so that the helpers it starts end with it
        )
        stopped: list[str] = []
        guard = threading.Thread(target=_watch, args=(process, seconds, watched, stopped), daemon=True)
        if watched:
            guard.start()
        try:
            out, said = process.communicate(timeout=None if watched else seconds)
        except subprocess.TimeoutExpired:
            stopped.append(f"git took longer than {seconds:g} s")
            out, said = b"", b""
        finally:
            _end(process)
            if watched:
                guard.join()
    if stopped:
        raise NotReachable(stopped[0], what, "Clone it yourself and scan the folder")
    if process.returncode:
        words = said.decode("utf-8", "replace").strip().splitlines()
        why = re.sub(r"//[^/@\s]+@", "//", words[-1])[:300] if words else f"git ended with {process.returncode}"
        raise NotReachable(f"git could not read the repository: {why}", what, "Check the address and your access")
    return out


def _watch(process: subprocess.Popen[bytes], seconds: float, written: Path, stopped: list[str]) -> None:
    """End git when it takes too long or writes too much. Looks less often the longer it takes."""
    began = time.monotonic()
    pause = 0.05
    while process.poll() is None:
        spent = time.monotonic() - began
        if spent > seconds:
            stopped.append(f"git took longer than {seconds:g} s")
        elif _room(written) > CLONE_BYTES:
            stopped.append(f"the repository is larger than {CLONE_BYTES // 1024**3} GB")
        if stopped:
            _end(process)
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 2.0)


def _room(folder: Path) -> int:
    total = 0
    for place, _folders, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        process.wait()


def _git_folder(root: Path) -> Path | None:
    """The folder that holds objects and refs; a worktree's ``.git`` file leads there."""
    place = root / ".git"
    if (place / "objects").is_dir():
        return place
    if (named := _small(place)) and named.startswith("gitdir:"):
        own = Path(os.path.normpath(root / named.partition(":")[2].strip()))
        common = _small(own / "commondir")
        shared = Path(os.path.normpath(own / common.strip())) if common else own
        return shared if (shared / "objects").is_dir() else None
    return None


def _remote(folder: Path) -> str:
    """The address of ``origin``, or of the only remote; git's own includes are not followed."""
    remotes: dict[str, str] = {}
    section = ""
    for line in _small(folder / "config").splitlines():
        line = line.strip()
        if line.startswith("["):
            match = re.match(r'\[\s*remote\s+"([^"]*)"\s*\]', line)
            section = match[1] if match else ""
        elif section and (match := re.match(r"url\s*=\s*(\S+)", line)):
            remotes.setdefault(section, match[1].strip('"'))
    return without_credentials(remotes.get("origin") or (next(iter(remotes.values())) if len(remotes) == 1 else ""))


def _head(folder: Path) -> tuple[str, str]:
    head = _small(folder / "HEAD").strip()
    if head.startswith("ref:"):
        name = head.partition(":")[2].strip()
        return name.removeprefix("refs/heads/"), _resolve(folder, name)
    return "", head if _OBJECT.match(head) else ""


def _resolve(folder: Path, name: str) -> str:
    if ".." in name or name.startswith(("/", "-")):
        return ""
    loose = _small(folder / name).strip()
    if _OBJECT.match(loose):
        return loose
    for line in _small(folder / "packed-refs", most=64 * _SMALL).splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name and _OBJECT.match(commit):
            return commit
    return ""


def _small(place: Path, most: int = _SMALL) -> str:
    """The text of a regular file up to ``most`` bytes; empty when there is none."""
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return ""
        with place.open("rb") as file:
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
