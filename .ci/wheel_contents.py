"""Is this wheel the project, whole, and nothing else?  `python wheel_contents.py WHEEL CLONE`

It must hold each module of the clone's `adapter/` and `cli/` under `ticks/`, both `py.typed`
marks and the licence, and put nothing but `ticks` into site-packages: a top-level `cli` or
`adapter` would shadow other people's packages. Below `share/` it must hold the manual page and
the completions, as pyproject.toml says.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from pathlib import Path


def expected_files(clone: Path) -> set[str]:
    """What the wheel must hold of the two packages, as paths in site-packages."""
    return {
        f"ticks/{path.relative_to(clone).as_posix()}"
        for package in ("adapter", "cli")
        for path in (clone / package).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }


def expected_data(clone: Path) -> set[str]:
    """What the wheel must hold for the environment's own folders, as paths in these."""
    project = tomllib.loads((clone / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        f"{folder}/{Path(file).name}"
        for folder, files in project["tool"]["setuptools"]["data-files"].items()
        for file in files
    }


def complaints(wheel: Path, clone: Path) -> list[str]:
    """Each thing that is wrong with the wheel, in words."""
    names = zipfile.ZipFile(wheel).namelist()
    about = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    shipped = {name.partition(".data/data/")[2] or name for name in set(names) - about}
    expected = expected_files(clone) | expected_data(clone)
    found = [f"missing: {name}" for name in sorted(expected - shipped)]
    found += [f"does not belong there: {name}" for name in sorted(shipped - expected)]
    if not any(name.endswith("/LICENSE") for name in about):
        found.append("missing: the licence")
    return found


def main() -> None:
    """Exit 1 with the complaints, or say what was found to be right."""
    wheel, clone = (Path(argument) for argument in sys.argv[1:])
    wrong = complaints(wheel, clone)
    if wrong:
        sys.exit("\n".join([f"{wheel.name}:", *wrong]))
    print(
        f"{wheel.name}: the tree's {len(expected_files(clone))} files under ticks/, "
        f"{len(expected_data(clone))} under share/, no others"
    )


if __name__ == "__main__":
    main()
