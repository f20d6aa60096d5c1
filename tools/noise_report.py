#!/usr/bin/env python
"""Report what noise did to labels: JSON, Markdown and an HTML page."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Compare clean and noisy labels, and write what noise did to them as noise_report.json, .md and "
        ".html. Works on two COCO files (masks, or boxes only), two folders of label maps (PNG), and two folders of "
        "edge labels (.mat, or PNG with 0 and 255 only), whoever made them. docs/noise_report.md explains every number."
    )
    parser.add_argument("clean", type=Path, metavar="CLEAN", help="clean COCO JSON file, or folder")
    parser.add_argument("noisy", type=Path, metavar="NOISY", help="noisy COCO JSON file, or folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of the image files, to show the 12 worst pairs"
    )
    parser.add_argument("--workers", type=_positive, default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "--pair",
        choices=("auto", "id", "iou"),
        default="auto",
        help="how objects are paired: by annotation id, one to one by IoU, or by id where ids mean the same in both "
        "files (default: auto)",
    )
    parser.add_argument(
        "--kind",
        choices=("auto", "semantic", "edges"),
        default="auto",
        help="what folders hold (default: auto: .mat files and PNG files of 0 and 255 hold edges)",
    )
    parser.add_argument(
        "--ignore", type=int, metavar="N", help="number of ignored pixels in label maps (default: as stated, else 255)"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="make the noisy labels again from their manifest, with CLEAN shuffled and another number of processes, "
        "and compare",
    )
    parser.add_argument("--force", action="store_true", help="replace DIR if it is a report")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer >= 1, got {text}")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Write the report and return 0, or 2 when an input or an argument cannot be used."""
    args = vars(parse_arguments(argv))
    from noisyseg.evaluation.report import summary, write_noise_report

    again = partial(made_again, args["clean"], args["noisy"], args["images"], args["workers"])
    args["verify"] = again if args["verify"] else None
    try:
        report = write_noise_report(**args, progress=sys.stderr.isatty())
    except (OSError, ValueError) as error:
        print(f"noise_report: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("noise_report: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(summary(report))
    print(f"report: {args['out'] / 'noise_report.html'}")
    return 0


def made_again(
    clean: Path, noisy: Path, images: Path | None, workers: int, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Return whether the generator makes the noisy labels again: from shuffled input, with other processes.

    Files of a folder have to come out byte for byte. A COCO file is made from a copy with its images and annotations
    in another order, and every annotation has to come out the same; added ones may have other ids.
    """
    from noisyseg.evaluation.report.folders import folder_sha256
    from noisyseg.noise.dataset.any_layout import make_noise

    if not isinstance(manifest.get("recipe"), Mapping) or not isinstance(manifest.get("seed"), int):
        raise ValueError(f"verify: the manifest of {noisy} has no recipe and seed")
    others = 1 if workers > 1 else 2
    settings = {"seed": manifest["seed"], "images": images, "workers": others}
    with TemporaryDirectory() as scratch:
        if clean.is_dir():
            again = Path(scratch) / "again"
            layout = manifest.get("layout", "auto")
            if layout == "png":
                settings |= {"classes": manifest["classes"], "ignore": (manifest.get("ignore") or [255])[0]}
            make_noise(manifest["recipe"], clean, again, layout=layout, split=manifest.get("split"), **settings)
            before, after = folder_sha256(noisy), folder_sha256(again)
            return {"passed": before == after, "sha256": after, "workers": others, "shuffled": False}
        source, again = Path(scratch) / clean.name, Path(scratch) / "again" / noisy.name
        write_shuffled(clean, source)
        again.parent.mkdir()
        make_noise(manifest["recipe"], source, again, split="train", **settings)
        largest = largest_id(clean)
        before, after = annotation_digests(noisy, largest), annotation_digests(again, largest)
    different = sum(((before - after) + (after - before)).values())
    return {"passed": before == after, "different": different, "workers": others, "shuffled": True}


def write_shuffled(source: Path, target: Path) -> None:
    """Write a COCO file with its images and annotations in another order."""
    import orjson

    from noisyseg.labels.files import write_json
    from noisyseg.labels.rng import keyed_rng

    document = orjson.loads(source.read_bytes())
    for key in ("images", "annotations"):
        order = keyed_rng(0, "shuffle", key).permutation(len(document[key])).tolist()
        document[key] = [document[key][place] for place in order]
    write_json(target, document)


def largest_id(path: Path) -> int:
    """Return the largest id that an annotation of the clean file has in a noisy one."""
    from noisyseg.labels.coco_text import CocoText

    ids = CocoText(path).ids
    return int(ids.max(initial=0)) + int(ids.min(initial=1) == 0)


def annotation_digests(path: Path, largest: int) -> Counter[bytes]:
    """Return how often each annotation occurs; the ids of added ones, above ``largest``, are left out."""
    import orjson

    digests: Counter[bytes] = Counter()
    for annotation in orjson.loads(path.read_bytes())["annotations"]:
        if annotation["id"] > largest:
            del annotation["id"]
        digests[hashlib.blake2b(orjson.dumps(annotation, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()] += 1
    return digests


if __name__ == "__main__":
    sys.exit(main())
