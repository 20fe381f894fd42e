"""One virtual environment for each package, made from its pinned requirements when it is needed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
ENVIRONMENTS = HERE / ".envs"
OURS = "panelscope"
DONE = ".installed"


@dataclass(frozen=True)
class Package:
    """A package under measurement.

    Attributes
    ----------
    name : str
        Of its files in peers/.
    label : str
        Name that its users know.
    python : Path
        Interpreter of its environment.
    version : str
    missing : str
        Why it cannot run, empty if it can.
    """

    name: str
    label: str
    python: Path
    version: str = ""
    missing: str = ""

    @property
    def adapter(self) -> Path:
        """Calls to the package."""
        return PEERS / f"{self.name}.py"

    @property
    def title(self) -> str:
        """Name in the report."""
        return f"{self.label} {self.version}".strip()


def available() -> list[str]:
    """Names of all peers that have a requirements file."""
    return sorted(path.stem for path in PEERS.glob("*.txt"))


def describe(name: str) -> Package:
    """Say what a package is, without making its environment."""
    if name == OURS:
        return Package(OURS, "Panelscope", Path(sys.executable))
    lines = (PEERS / f"{name}.txt").read_text().split()
    label, _, version = next(line for line in lines if "==" in line).partition("==")
    return Package(name, label, ENVIRONMENTS / name / "bin" / "python", version)


def prepare(name: str) -> Package:
    """Make the environment of a package unless it is there, and say what it holds."""
    package = describe(name)
    if name == OURS:
        return package
    folder, requirements = ENVIRONMENTS / name, PEERS / f"{name}.txt"
    stamp = folder / DONE
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print(f"making the environment of {name} ...", file=sys.stderr, flush=True)
        why = _install(folder, package.python, requirements)
        if why:
            return replace(package, missing=f"does not install: {why}")
        stamp.write_text(requirements.read_text())
    return package


def _install(folder: Path, python: Path, requirements: Path) -> str:
    """Install, and give the last line of what went wrong."""
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [*pip, "-r", str(requirements)],
    ):
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            lines = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")]
            return (lines or ran.stderr.splitlines() or ["no message"])[-1]
    return ""
