"""Look at the labels that a correction wrote while training, take them out, and go back.

STORE is the folder of a label store, such as work_dirs/x/label_store. GIVEN are the labels that training began with: a
folder of label maps (PNG), or a COCO file. docs/label_store.md explains every number.

tools/labels.py log STORE                                          # versions: which builds on which, what changed
tools/labels.py diff STORE --given data/labels                     # what changed where, since the given labels
tools/labels.py diff STORE --given data/labels --from 2 --to 3 --clean data/clean --images data/images --out changes
tools/labels.py export STORE --given data/labels --out corrected   # an ordinary data set of the version in force
tools/labels.py export STORE --given train.json --out corrected.json --version 2
tools/labels.py restore STORE 2                                    # put version 2 in force; 0: the given labels
tools/labels.py prune STORE                                        # what could be removed; with --yes it is
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noisyseg.labels.store import LabelStore
    from noisyseg.labels.versions import GivenMaps, GivenMasks, Version


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("store", type=Path, metavar="STORE", help="folder of the label store")
    given = argparse.ArgumentParser(add_help=False)
    given.add_argument("--given", type=Path, required=True, metavar="GIVEN", help="folder of label maps, or COCO file")
    given.add_argument("--suffix", default=".png", help="ending of the label maps (default: .png)")
    given.add_argument(
        "--image-ending",
        default="",
        metavar="TEXT",
        help="what images have in place of SUFFIX, without the file type, such as _leftImg8bit",
    )
    given.add_argument(
        "--classes",
        type=Path,
        metavar="NAMES",
        help="text file with the name of class 0, 1, ... a line (default: as the store says, else numbers)",
    )
    given.add_argument(
        "--reduce-zero-label",
        action=argparse.BooleanOptionalAction,
        help="whether the training's data set had reduce_zero_label (default: as the store says, else not)",
    )
    given.add_argument("--force", action="store_true", help="replace OUT if this tool wrote it")

    commands.add_parser("log", parents=[store], help="list the versions")
    diff = commands.add_parser("diff", parents=[store, given], help="say what changed between two versions")
    diff.add_argument("--from", dest="old", default="0", metavar="N", help="earlier version (default: 0, as given)")
    diff.add_argument("--to", dest="new", default="current", metavar="N", help="later version (default: in force)")
    diff.add_argument("--clean", type=Path, metavar="CLEAN", help="clean labels like GIVEN, to say what was right")
    diff.add_argument("--images", type=Path, metavar="DIR", help="folder of the images, to draw on")
    diff.add_argument("--out", type=Path, metavar="DIR", help="folder to write: JSON, CSV, page of the most changed")
    diff.add_argument("--count", type=int, default=24, metavar="N", help="images on the page at most (default: 24)")
    export = commands.add_parser("export", parents=[store, given], help="write a version as an ordinary data set")
    export.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder, or COCO file, to write")
    export.add_argument("--version", default="current", metavar="N", help="which version (default: the one in force)")
    restore = commands.add_parser("restore", parents=[store], help="put a version in force")
    restore.add_argument("version", metavar="VERSION", help="its number; 0 stands for the given labels")
    prune = commands.add_parser("prune", parents=[store], help="remove versions that nothing in force builds on")
    prune.add_argument(
        "--keep", nargs="+", default=[], metavar="N", help="versions to keep, such as those of checkpoints"
    )
    prune.add_argument("--yes", action="store_true", help="remove them; without it they are listed")
    arguments = parser.parse_args(argv)
    if arguments.command == "diff" and arguments.count < 1:
        parser.error(f"--count: expected at least 1, got {arguments.count}")
    if arguments.command == "diff" and arguments.images and not arguments.out:
        parser.error("--images: expected --out with it")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0 done, 2 unusable input, 130 interrupted."""
    arguments = parse_arguments(argv)
    from noisyseg.labels.versions import existing_store

    commands = {"log": log, "diff": diff, "export": export, "restore": restore, "prune": prune}
    try:
        commands[arguments.command](existing_store(arguments.store), arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        print(f"labels: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        unless = "" if arguments.command == "prune" else "; nothing was written"
        print(f"\nlabels: interrupted{unless}", file=sys.stderr)
        return 130
    return 0


def log(store: LabelStore, arguments: argparse.Namespace) -> None:  # noqa: ARG001 - every command has both
    """Print the versions."""
    from noisyseg.labels.versions import history

    versions = history(store)
    print(f"{'*' if store.current == 0 else ' '} 0     as given")
    for version in versions:
        print(version_line(version))
        if notes := info_line(version):
            print(f"        {notes}")
    total = sum(version.size for version in versions)
    print(f"* in force; {len(versions)} versions, {size_text(total)}")


def version_line(version: Version) -> str:
    """Return what is known of one version, without what its writer noted."""
    head = f"{'*' if version.in_force else ' '} {version.number:<4}"
    when = version.made.strftime("%Y-%m-%d %H:%M")
    if not version.is_complete:
        return f"{head}  not finished: being written, or left by a training that was killed; {size_text(version.size)}"
    parts = [f"on {version.parent}", when, *(f"{n:,} {kind}" for kind, n in version.files.items() if n)]
    parts.append(size_text(version.size))
    if version.changed is not None:
        parts.append(f"{version.changed:,} pixels changed")
        parts += [f"{count:,} {fate}" for fate, count in version.fates.items()]
    return f"{head}  {', '.join(parts)}"


def info_line(version: Version) -> str:
    """Return what the writer of a version noted, one line, without what is shown elsewhere."""
    info = dict(version.info)
    if version.changed is not None:
        del info["changed"]
    if isinstance(info.get("origin"), str):
        info["origin"] = info["origin"][:8]
    return ", ".join(f"{name} {short(value)}" for name, value in info.items())


def short(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return JSON as short text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(short, value)) + "]"
    return "-" if value is None else str(value)


def size_text(size: int) -> str:
    """Return a number of bytes as text."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def given_labels(store: LabelStore, arguments: argparse.Namespace, path: Path | None = None) -> GivenMaps | GivenMasks:
    """Return the given labels, or those in another path that are like them."""
    from noisyseg.labels.versions import GivenMaps, GivenMasks, class_settings

    path = path or arguments.given
    if not path.is_dir():
        if arguments.classes or arguments.reduce_zero_label is not None or arguments.suffix != ".png":
            raise ValueError(f"{path}: --classes, --reduce-zero-label and --suffix are for a folder of label maps")
        return GivenMasks(path, image_ending=arguments.image_ending)
    classes, reduced = class_settings(store)
    if None not in (reduced, arguments.reduce_zero_label) and reduced != arguments.reduce_zero_label:
        raise ValueError(f"{store.root}: reduce_zero_label was {reduced} in the training that wrote this store")
    return GivenMaps(
        path,
        suffix=arguments.suffix,
        image_ending=arguments.image_ending,
        classes=arguments.classes.read_text(encoding="utf-8").splitlines() if arguments.classes else classes,
        reduce_zero_label=reduced if arguments.reduce_zero_label is None else arguments.reduce_zero_label,
    )


def diff(store: LabelStore, arguments: argparse.Namespace) -> None:
    """Print what changed between two versions, and write it."""
    from noisyseg.evaluation import label_diff
    from noisyseg.labels.files import check_writable
    from noisyseg.labels.folders import check_replaceable
    from noisyseg.labels.versions import GivenMaps, VersionMaps, VersionMasks, existing_version

    old, new = (existing_version(store, number) for number in (arguments.old, arguments.new))
    given = given_labels(store, arguments)
    progress = sys.stderr.isatty()
    images = arguments.images and label_diff.ImageFiles(arguments.images, arguments.image_ending)
    if arguments.out:
        check_replaceable(arguments.out, marker=label_diff.DOCUMENT, force=arguments.force)
        check_writable(arguments.out)
    if isinstance(given, GivenMaps):
        clean = arguments.clean and given_labels(store, arguments, arguments.clean)
        if clean and not isinstance(clean, GivenMaps):
            raise ValueError(f"{arguments.clean}: expected a folder of label maps, as {arguments.given} is one")
        versions = [VersionMaps(store, version, given) for version in (old, new)]
        document = label_diff.compare_maps(*versions, clean, progress=progress)
        views = label_diff.MapViews(*versions, clean)
    else:
        clean = arguments.clean and label_diff.CleanMasks(arguments.clean)
        versions = [VersionMasks(store, version, given) for version in (old, new)]
        document = label_diff.compare_masks(*versions, clean, progress=progress)
        views = label_diff.MaskViews(*versions, clean)
    if arguments.out:
        settings = {"images": images, "count": arguments.count, "force": arguments.force, "progress": progress}
        label_diff.write_difference(document, views, arguments.out, **settings)
    print(label_diff.summary(document))
    if arguments.out:
        print(f"page: {arguments.out / 'index.html'}")


def export(store: LabelStore, arguments: argparse.Namespace) -> None:
    """Write a version as an ordinary data set."""
    from noisyseg.labels.versions import GivenMaps, existing_version, export_coco, export_maps

    version = existing_version(store, arguments.version)
    given = given_labels(store, arguments)
    settings = {"force": arguments.force, "progress": sys.stderr.isatty()}
    if isinstance(given, GivenMaps):
        done = export_maps(store, version, given, arguments.out, **settings)
        print(
            f"version {version}: {done['files']:,} label maps, {done['changed_files']:,} of them changed, in "
            f"{done['changed_pixels']:,} pixels"
        )
    else:
        done = export_coco(store, version, given, arguments.out, **settings)
        print(
            f"version {version}: {done['annotations']:,} annotations, {done['changed_annotations']:,} of them changed, "
            f"{done['empty_masks']:,} now empty"
        )
    if weights := store.holders("weights", version):
        print(f"weights of {len(weights):,} images are not part of it")
    print(f"labels: {arguments.out}")


def restore(store: LabelStore, arguments: argparse.Namespace) -> None:
    """Put a version in force."""
    from noisyseg.labels.versions import existing_version

    version, before = existing_version(store, arguments.version), store.current
    store.set_current(version)
    print(f"version {version} is in force, {'as before' if before == version else f'before it was {before}'}")


def prune(store: LabelStore, arguments: argparse.Namespace) -> None:
    """Remove what is not needed, or say what would be removed."""
    from noisyseg.labels.versions import existing_version, history, unneeded

    versions = unneeded(store, [existing_version(store, number) for number in arguments.keep])
    if not versions:
        print("every version is needed: in force, to be kept, the newest, or what one of these builds on")
        return
    sizes = {version.number: version.size for version in history(store)}
    what = f"{', '.join(map(str, sorted(versions)))} ({size_text(sum(sizes[number] for number in versions))})"
    if not arguments.yes:
        print(f"not needed: {what}; nothing was removed")
        print(
            "a checkpoint that names one of them could not be resumed: name such versions with --keep, then add --yes"
        )
        return
    for version in versions:
        store.remove(version)
    print(f"removed: {what}")


if __name__ == "__main__":
    sys.exit(main())
