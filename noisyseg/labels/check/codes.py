"""Every kind of finding: its code, how bad it is, what it means and what to do about it.

Codes are stable: scripts that read ``--json`` may rely on them. ``docs/check_labels.md`` repeats this table.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]


class Code(NamedTuple):
    """What a code stands for.

    Attributes:
        severity: ``error``: a training, evaluation or noise tool crashes on it, or silently drops or alters
            something; ``warning``: legal, but most likely not what was meant; ``info``: fine, worth knowing.
        meaning: What is wrong, as a short clause.
        fix: What to do about it.
    """

    severity: Severity
    meaning: str
    fix: str


UNREADABLE = frozenset({"file-unreadable", "json-encoding", "json-syntax", "not-coco", "images-folder-missing"})

_FILE = {
    "file-unreadable": Code("error", "the file cannot be read", "check the path and the permissions"),
    "json-encoding": Code("error", "the file is not UTF-8", "convert it: iconv -t UTF-8"),
    "json-bom": Code("error", "the file starts with a byte order mark", "save it as UTF-8 without BOM"),
    "json-syntax": Code("error", "the file is not JSON", "export it again; it may be cut off"),
    "json-nan": Code(
        "error",
        "NaN or Infinity, which JSON does not have",
        "replace the numbers; strict readers refuse the file",
    ),
    "json-strict": Code("error", "strict JSON readers refuse the file", "write it again with a strict JSON writer"),
    "json-duplicate-key": Code(
        "error", "an object has the same key twice; readers keep the last", "keep one of the two"
    ),
    "not-coco": Code(
        "error",
        "not a COCO object with images, annotations, categories",
        "pass the annotation file of the data set",
    ),
    "key-missing": Code("error", "a required key is missing", "add it"),
    "type-wrong": Code("error", "a value has the wrong type", "write the type that the message names"),
    "list-empty": Code("warning", "images, annotations or categories is empty", "check that the export is complete"),
    "info-missing": Code("info", "no `info` object; COCO.info() of the COCO API fails", "add `info: {}`"),
}

_IDS = {
    "id-type": Code("error", "an id is not a whole number", "write ids as whole numbers, without quotes or point"),
    "id-duplicate": Code("error", "an id occurs twice; readers keep the last entry", "give each entry its own id"),
    "id-negative": Code("error", "an id is negative, which noise uses for invented objects", "count ids from 1"),
    "id-huge": Code("error", "an id is beyond 2^53; COCO's evaluation keeps ids as floats", "count ids from 1"),
    "annotation-id-zero": Code(
        "error", "annotation id 0; COCO's evaluation takes it for 'no match'", "count annotation ids from 1"
    ),
    "image-id-zero": Code("info", "image id 0; legal, but some converters skip it", "count image ids from 1"),
    "category-id-zero": Code(
        "warning", "category id 0; lost where label maps keep 0 for background", "count category ids from 1"
    ),
    "image-unknown": Code("error", "image_id of no image of the file", "add the image or drop the annotation"),
    "category-unknown": Code(
        "error",
        "category_id of no category; mmdet drops the object silently",
        "add the category or map the id",
    ),
}

_CATEGORIES = {
    "category-name-duplicate": Code("error", "two categories have the same name", "merge or rename them"),
    "category-name-similar": Code(
        "warning",
        "two names differ only in case or white space",
        "merge or rename them; configs select by name",
    ),
    "category-name-space": Code("warning", "a name starts or ends with white space", "strip the name"),
    "category-unused": Code("info", "a category without annotations", "nothing, unless it should have some"),
    "supercategory-missing": Code(
        "info",
        "no supercategory; noise inside super-categories has no groups",
        "add it if you use such noise",
    ),
}

_IMAGES = {
    "image-size": Code("error", "height or width is not a whole number >= 1", "write the image's size in pixels"),
    "image-size-huge": Code(
        "error", "2^32 pixels or more, which RLE of the COCO API cannot count", "cut the image into tiles"
    ),
    "image-unannotated": Code(
        "info",
        "an image without annotations; mmdet's filter_empty_gt skips it",
        "nothing, if it shows no object",
    ),
    "file-name-duplicate": Code(
        "warning", "two images have the same file name", "merge them: each has only a part of the labels"
    ),
    "file-name-absolute": Code(
        "warning", "an absolute file name works on one machine only", "make it relative to the image folder"
    ),
    "file-name-backslash": Code("warning", "a file name with backslashes", "use / between folders"),
    "images-folder-missing": Code("error", "the folder given with --images is not there", "check the path"),
    "image-missing": Code("error", "an image file is not in the folder", "add the file or drop the image"),
    "image-case": Code(
        "error",
        "an image file exists in another letter case only; Linux does not find it",
        "rename one of the two",
    ),
    "image-unreadable": Code("error", "a file cannot be read as an image", "replace the file"),
    "image-truncated": Code("error", "an image file is cut off", "download or export it again"),
    "image-size-differs": Code(
        "error",
        "the file's size is not the size in the JSON",
        "label the image that you train on, or resize both",
    ),
    "image-rotated": Code(
        "warning",
        "EXIF turns the image; some readers obey, others do not",
        "write it turned, without the EXIF tag",
    ),
    "image-extra": Code("info", "image files that no entry names", "nothing, unless they should be labelled"),
}

_BOXES = {
    "bbox-missing": Code("error", "no bbox; mmdet and COCO's evaluation need it", "compute it from the mask"),
    "bbox-type": Code("error", "bbox is not a list of four numbers", "write [x, y, width, height] in pixels"),
    "bbox-nan": Code("error", "bbox with NaN or infinite numbers", "compute it from the mask"),
    "bbox-empty": Code(
        "error", "bbox of width or height <= 0; mmdet drops the object silently", "compute it from the mask"
    ),
    "bbox-tiny": Code(
        "warning",
        "bbox thinner than 1 px; mmdet drops it (COCO itself has some)",
        "check that it is in pixels",
    ),
    "bbox-off-image": Code(
        "error",
        "bbox does not touch the image; mmdet drops the object silently",
        "check the order and the scale",
    ),
    "bbox-outside": Code("warning", "bbox reaches out of the image", "cut it at the image"),
    "bbox-disjoint": Code("error", "bbox and mask do not overlap", "compute the bbox from the mask"),
    "bbox-mismatch": Code("warning", "bbox is off the mask's own by more than 2 px", "compute it from the mask"),
    "area-missing": Code("error", "no area; mmdet and COCO's evaluation need it", "write the mask's pixel count"),
    "area-type": Code("error", "area is not a number", "write the mask's pixel count"),
    "area-nan": Code("error", "area is NaN or infinite", "write the mask's pixel count"),
    "area-not-positive": Code("error", "area <= 0; mmdet drops the object silently", "write the mask's pixel count"),
    "area-mismatch": Code(
        "warning", "area is not the mask's; sizes small/medium/large shift", "write the mask's pixel count"
    ),
    "crowd-area-mismatch": Code(
        "info",
        "a crowd's area is not its mask's; COCO's own are like that",
        "nothing: evaluation ignores crowds",
    ),
    "ignore-set": Code("info", "`ignore` is set; mmdet leaves the object out", "nothing, if it is meant"),
    "iscrowd-missing": Code("error", "no iscrowd; COCO's evaluation needs it", "write 0"),
    "iscrowd-value": Code("error", "iscrowd is not 0 or 1", "write 0, or 1 for a group of objects"),
    "iscrowd-type": Code("warning", "iscrowd is true, false, 0.0 or 1.0", "write the whole number 0 or 1"),
    "annotation-duplicate": Code(
        "warning", "an object occurs twice: same image, class and geometry", "drop one of the two"
    ),
    "class-conflict": Code("warning", "the same geometry in one image with two classes", "drop the wrong one"),
}

_MASKS = {
    "boxes-only": Code("info", "no annotation has a segmentation", "nothing, to train a detector of boxes"),
    "segmentation-missing": Code(
        "error",
        "no segmentation where others have one; loading masks fails",
        "draw the mask or drop the object",
    ),
    "segmentation-empty": Code(
        "error",
        "segmentation is []; loading masks fails in mmdet",
        "draw it; without any masks, delete the keys",
    ),
    "segmentation-type": Code(
        "error", "segmentation is neither polygons nor RLE", "write a list of polygons or an RLE object"
    ),
    "segmentation-mixed": Code(
        "warning", "polygons and RLE mixed; with poly2mask=False mmdet ignores RLE", "write all in one form"
    ),
    "polygon-type": Code("error", "a polygon is not a flat list of numbers", "write [[x0, y0, x1, y1, ...], ...]"),
    "polygon-nan": Code(
        "error", "a polygon with NaN or infinite coordinates", "draw it again; it crashes the COCO API"
    ),
    "polygon-short": Code(
        "error",
        "a polygon of fewer than 3 points; the COCO API takes 4 numbers for a box",
        "drop or complete the part",
    ),
    "polygon-odd": Code("error", "a polygon with an odd count of coordinates", "find the lost coordinate"),
    "polygon-huge": Code(
        "error",
        "an outline so long or far that drawing it exhausts the memory",
        "check the scale; cut it at the image",
    ),
    "polygon-outside": Code("warning", "a polygon reaches out of the image by more than 1 px", "cut it at the image"),
    "rle-type": Code("error", "RLE without size [h, w] and counts (string or whole numbers)", "encode the mask again"),
    "rle-size": Code("error", "the RLE's size is not the image's", "write [height, width] of the image"),
    "rle-encoding": Code("error", "a compressed RLE string that cannot be read", "encode the mask again"),
    "rle-negative": Code("error", "RLE with negative run lengths", "encode the mask again"),
    "rle-total": Code("error", "RLE runs do not sum to height x width", "encode the mask again"),
    "mask-empty": Code("error", "the mask has no pixel inside the image", "drop the object, or check the scale"),
    "crowd-polygon": Code(
        "warning",
        "a crowd stored as polygons; COCO stores crowds as RLE",
        "encode it as RLE, or set iscrowd to 0",
    ),
}

CODES: dict[str, Code] = _FILE | _IDS | _CATEGORIES | _IMAGES | _BOXES | _MASKS
"""All codes, in the order in which the documentation tells them."""
