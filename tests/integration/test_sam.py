"""A randomly initialised SAM of a few thousand weights; nothing is downloaded."""

import pickle
import socket
import subprocess
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import torch

from noisyseg.integration import sam
from noisyseg.integration.recipes import load_recipe
from noisyseg.integration.sam import SamPrompter
from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.dataset.generate import generate_noise
from noisyseg.noise.prompts import Prompter, PromptNoise, Prompts

transformers = pytest.importorskip("transformers")

SIZE_HW = (48, 60)
SIDE = 64
VISION = {
    "hidden_size": 16,
    "output_channels": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 8,
    "mlp_dim": 16,
    "window_size": 4,
    "global_attn_indexes": [0],
    "num_pos_feats": 8,
}
PROMPTS = {"hidden_size": 16, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 4}
DECODER = {
    "hidden_size": 16,
    "mlp_dim": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "iou_head_hidden_dim": 16,
    "iou_head_depth": 2,
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def save(folder, model_class, config_class, processor_class, **decoder):
    torch.manual_seed(0)
    config = config_class(vision_config=VISION, prompt_encoder_config=PROMPTS, mask_decoder_config=DECODER | decoder)
    model_class(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    processor_class(transformers.SamImageProcessor(size={"longest_edge": SIDE}, pad_size=size)).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sam")
    return save(folder, transformers.SamModel, transformers.SamConfig, transformers.SamProcessor)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), np.uint8)


BOXES = Prompts(
    boxes=np.array([[1, 2, 30, 20], [5, 6, 40.5, 40], [0, 0, 59, 47], [50, 40, 50, 40], [3, 9, 9, 13]], float)
)
POINTS = Prompts(
    points=np.array([[3, 4], [20.5, 30], [59, 47], [0, 0], [33, 8]], float), labels=np.array([1, 1, 1, 0, 1])
)
BOTH = pytest.mark.parametrize("prompts", [BOXES, POINTS], ids=["boxes", "points"])


def ask(prompter, image, prompts, multimask=True):
    return list(prompter.answers(image, image.shape[:2], prompts, multimask=multimask))


def plain(answers):
    return [[mask.rle for mask in answer.masks] for answer in answers]


@BOTH
@pytest.mark.parametrize(("multimask", "guesses"), [(True, 3), (False, 1)])
def test_each_prompt_has_its_guesses(checkpoint, image, prompts, multimask, guesses):
    answers = ask(SamPrompter(checkpoint), image, prompts, multimask)
    assert len(answers) == 5
    for answer in answers:
        assert len(answer.masks) == len(answer.scores) == guesses
        assert all(mask.size_hw == SIZE_HW for mask in answer.masks)
        assert all(isinstance(score, float) for score in answer.scores)
    assert len({answer.scores for answer in answers}) == 5, "each prompt has an answer of its own"
    assert len({mask.area for answer in answers for mask in answer.masks}) > 3, "neither empty nor the whole image"


@BOTH
def test_the_answers_are_those_of_the_model_asked_by_hand(checkpoint, image, prompts):
    model = transformers.SamModel.from_pretrained(checkpoint, local_files_only=True).eval()
    processor = transformers.SamProcessor.from_pretrained(checkpoint, local_files_only=True)
    for place, answer in enumerate(ask(SamPrompter(checkpoint), image, prompts)):
        if prompts is BOXES:
            given = {"input_boxes": [[prompts.boxes[place].tolist()]]}
        else:
            given = {
                "input_points": [[[prompts.points[place].tolist()]]],
                "input_labels": [[[int(prompts.labels[place])]]],
            }
        inputs = processor(images=image, return_tensors="pt", **given)
        inputs = {name: value.float() if value.dtype == torch.float64 else value for name, value in inputs.items()}
        sizes = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
        with torch.no_grad():
            output = model(**inputs)
        (frames,) = processor.post_process_masks(output.pred_masks, *sizes)
        np.testing.assert_allclose(answer.scores, output.iou_scores[0, 0].numpy(), rtol=1e-4)
        for mask, frame in zip(answer.masks, frames[0].numpy(), strict=True):
            assert (mask.frame() != frame).mean() < 0.002


@BOTH
@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_batches_of_any_size_give_the_same_answers(checkpoint, image, prompts, batch_size):
    together = ask(SamPrompter(checkpoint), image, prompts)
    batched = ask(SamPrompter(checkpoint, batch_size=batch_size), image, prompts)
    for one, other in zip(together, batched, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-4)
        for mask, same in zip(one.masks, other.masks, strict=True):
            assert (mask.frame() != same.frame()).mean() < 0.002


def test_an_image_is_embedded_once_and_a_model_loaded_once(checkpoint, image):
    prompter = SamPrompter(checkpoint, batch_size=2)
    assert prompter._loaded is None
    ask(prompter, image, BOXES)
    model = prompter._loaded.model
    calls = []
    model.vision_encoder.register_forward_hook(lambda *given: calls.append(1))
    ask(prompter, image, BOXES)
    assert len(calls) == 1
    assert prompter._loaded.model is model
    assert not model.training


def test_no_prompts_load_nothing(image):
    prompter = SamPrompter("no/such-model")
    assert ask(prompter, image, Prompts(boxes=np.zeros((0, 4)))) == []
    assert prompter._loaded is None


def test_the_callers_gradients_stay_on_between_answers(checkpoint, image):
    for _ in SamPrompter(checkpoint).answers(image, SIZE_HW, BOXES, multimask=True):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()


def test_it_travels_without_its_model(checkpoint, image):
    prompter = SamPrompter(checkpoint, device="cpu")
    before = ask(prompter, image, BOXES)
    there = pickle.loads(pickle.dumps(prompter))
    assert prompter._loaded is not None
    assert there._loaded is None
    assert plain(ask(there, image, BOXES)) == plain(before)


def test_half_precision_is_near_full(checkpoint, image):
    full, half = (ask(SamPrompter(checkpoint, dtype=dtype), image, BOXES) for dtype in ("float32", "bfloat16"))
    for one, other in zip(full, half, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=0.05)


@pytest.mark.skipif(not hasattr(transformers, "SamHQModel"), reason="this version of transformers has no SAM-HQ")
def test_sam_hq_answers_too(tmp_path, image):
    folder = save(tmp_path, transformers.SamHQModel, transformers.SamHQConfig, transformers.SamHQProcessor, vit_dim=16)
    answers = ask(SamPrompter(folder, batch_size=3), image, BOXES)
    assert [len(answer.masks) for answer in answers] == [3] * 5
    assert len({answer.scores for answer in answers}) == 5


def test_a_recipe_with_it_makes_noise_and_is_written_down(checkpoint, image):
    frame = np.zeros(SIZE_HW, np.uint8)
    frame[10:30, 12:40] = 1
    labels = Instances.from_masks([Mask.from_frame(frame)] * 3, [0, 1, 0], Categories.from_names("ab"), SIZE_HW)
    labels = labels.replace(image=image)
    config = {"type": "noisyseg.SamPrompter", "checkpoint": checkpoint}
    recipe = build_noise(
        {
            "type": "noisyseg.Recipe",
            "noises": [{"type": "noisyseg.PromptNoise", "prompter": config, "prompt": "random_point"}],
            "on_empty": "keep",
        }
    )
    assert recipe.needs_image
    noisy, params = recipe.run(labels, keyed_rng(0))
    assert [mask.rle for mask in noisy.masks] == [mask.rle for mask in recipe.apply(labels, params).masks]
    (entry,) = recipe.history(params)[1]
    assert entry["params"]["prompter"] == config
    assert set(entry["draws"]) == {"point", "index", "score"}
    guesses = ask(
        SamPrompter(checkpoint), image, Prompts(points=np.array([entry["draws"]["point"]]), labels=np.ones(1, int))
    )
    assert (noisy.masks[0].frame() != guesses[0].masks[entry["draws"]["index"]].frame()).mean() < 0.002


class PlainProcessor:
    """Does what the processor of SAM 2 does, which needs torchvision: any aspect ratio becomes a square."""

    def __call__(self, images, return_tensors, input_boxes=None, input_points=None, input_labels=None):
        rows, columns = images.shape[:2]
        pixels = torch.from_numpy(images).permute(2, 0, 1)[None].float() / 255
        scale = torch.tensor([SIDE / columns, SIDE / rows])
        inputs = {
            "pixel_values": torch.nn.functional.interpolate(pixels, (SIDE, SIDE)),
            "original_sizes": torch.tensor([[rows, columns]]),
        }
        if input_boxes is not None:
            inputs["input_boxes"] = torch.tensor(input_boxes) * scale.repeat(2)
        else:
            inputs["input_points"] = torch.tensor(input_points) * scale
            inputs["input_labels"] = torch.tensor(input_labels)
        return inputs

    def post_process_masks(self, masks, original_sizes):
        size = tuple(original_sizes[0].tolist())
        return [torch.nn.functional.interpolate(some, size, mode="bilinear") > 0 for some in masks]


@pytest.mark.skipif(not hasattr(transformers, "Sam2Model"), reason="this version of transformers has no SAM 2")
@BOTH
def test_the_model_of_sam_2_answers_too(tmp_path, image, prompts, monkeypatch):
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "num_attention_heads": 1,
        "image_size": [SIDE, SIDE],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 4],
        "global_attention_blocks": [3],
        "window_size_per_stage": [4, 4, 4, 4],
        "window_positional_embedding_background_size": [2, 2],
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": [64, 32, 16, 8],
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 16,
    }
    torch.manual_seed(0)
    config = transformers.Sam2Config(
        vision_config=vision, prompt_encoder_config=PROMPTS | {"patch_size": 16}, mask_decoder_config=DECODER
    )
    transformers.Sam2Model(config).save_pretrained(tmp_path)
    monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", lambda *given, **settings: PlainProcessor())
    together = ask(SamPrompter(str(tmp_path)), image, prompts)
    batched = ask(SamPrompter(str(tmp_path), batch_size=2), image, prompts)
    assert [len(answer.masks) for answer in together] == [3] * 5
    assert len({answer.scores for answer in together}) == 5
    for one, other in zip(together, batched, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-4)
        assert all((a.frame() != b.frame()).mean() < 0.002 for a, b in zip(one.masks, other.masks, strict=True))
    assert [len(answer.masks) for answer in ask(SamPrompter(str(tmp_path)), image, prompts, multimask=False)] == [1] * 5


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_file_is_written_with_it(checkpoint, write_coco, coco_document, workers):
    file = write_coco(coco_document)
    for place, entry in enumerate(coco_document["images"]):
        cv2.imwrite(str(file.with_name(entry["file_name"])), np.random.default_rng(place).integers(0, 256, (48, 64, 3)))
    prompter = {"type": "noisyseg.SamPrompter", "checkpoint": checkpoint, "device": "cpu"}
    recipe = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.PromptNoise", "prompter": prompter}]}
    manifest = generate_noise(recipe, file, file.with_name("noisy.json"), seed=0, images=file.parent, workers=workers)
    assert manifest["counts"]["PromptNoise"] == 5
    clean, noisy = read_coco(file), read_coco(file.with_name("noisy.json"))
    for image_id, entry in clean.images.items():
        pixels = np.ascontiguousarray(cv2.imread(str(file.with_name(entry["file_name"])))[..., ::-1])
        labels = clean.instances(image_id)
        expected = build_noise(recipe)(labels.replace(image=pixels), keyed_rng(0, image_id))
        for mask, same in zip(noisy.instances(image_id).masks, expected.masks, strict=True):
            assert (mask.frame() != same.frame()).mean() < 0.002
    chains = [entry["noise"]["chain"] for entry in noisy.document["annotations"] if "noise" in entry]
    assert all(set(chain[0]["draws"]) == {"box", "index", "score"} for chain in chains)


def test_it_is_a_prompter_whose_work_is_worth_keeping(checkpoint):
    assert isinstance(SamPrompter(checkpoint), Prompter)
    assert PromptNoise(SamPrompter(checkpoint)).costly
    assert not PromptNoise({"type": "noisyseg.StubPrompter"}).costly


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"checkpoint": ""}, "prompter.checkpoint: expected a folder or a name"),
        ({"checkpoint": "x", "batch_size": 0}, "prompter.batch_size: expected a number >= 1, got 0"),
        ({"checkpoint": "x", "dtype": "int8"}, "prompter.dtype: expected float32, float16 or bfloat16, got 'int8'"),
        ({}, "prompter: .*checkpoint"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        build_noise({"type": "noisyseg.PromptNoise", "prompter": {"type": "noisyseg.SamPrompter"} | settings})


def test_a_folder_without_a_model_is_an_error(tmp_path, image):
    with pytest.raises(ValueError, match="checkpoint: expected the folder or the name of a SAM model"):
        ask(SamPrompter(str(tmp_path)), image, BOXES)


def test_a_model_of_another_kind_is_an_error(tmp_path, image):
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="checkpoint: expected the folder or the name of a SAM model"):
        ask(SamPrompter(str(tmp_path)), image, BOXES)


def test_without_transformers_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(sam, "find_spec", lambda name: None if name == "transformers" else find_spec(name))
    with pytest.raises(ImportError, match=r"noisyseg\.SamPrompter needs transformers: pip install 'noisyseg\[sam\]'"):
        build_noise({"type": "noisyseg.PromptNoise", "prompter": {"type": "noisyseg.SamPrompter", "checkpoint": "x"}})


def printed(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_it_loads_neither_torch_nor_transformers():
    code = "import sys, noisyseg.integration.sam; print({'torch', 'transformers'} & set(sys.modules))"
    assert printed(code) == "set()"


def test_a_recipe_finds_it_without_an_import():
    code = """
from noisyseg.noise import build_noise
prompter = {"type": "noisyseg.SamPrompter", "checkpoint": "x"}
print(build_noise({"type": "noisyseg.PromptNoise", "prompter": prompter}).needs_image)
"""
    assert printed(code) == "True"


@pytest.mark.parametrize(
    ("level", "prompt", "rate"), [("easy", "box", None), ("medium", "point", None), ("hard", "point", 0.4)]
)
def test_the_coco_wan_recipes(level, prompt, rate):
    recipe = build_noise(load_recipe(f"coco_wan_{level}"))
    assert recipe.needs_image
    drawn, *others = recipe.noises
    assert (drawn.prompt, drawn.omega, drawn.jitter_std, drawn.multimask, drawn.select) == (prompt, 1, 0, True, "score")
    assert drawn.prompter == {"type": "noisyseg.SamPrompter", "checkpoint": "facebook/sam-vit-huge"}
    assert [other.rate for other in others] == ([] if rate is None else [rate])


def test_an_inherited_recipe_with_another_checkpoint(tmp_path):
    path = tmp_path / "mine.py"
    prompter = "dict(type='noisyseg.SamPrompter', checkpoint='here')"
    path.write_text(
        "_base_ = 'noisyseg::_base_/noise/coco_wan_easy.py'\n"
        f"noise = dict(noises=[dict(type='noisyseg.PromptNoise', prompter={prompter}, prompt='box')])\n"
    )
    (drawn,) = build_noise(load_recipe(path)).noises
    assert drawn.prompter["checkpoint"] == "here"
    path.write_text("_base_ = 'noisyseg::_base_/noise/coco_wan_easy.py'\nnoise = dict(on_empty='drop')\n")
    recipe = build_noise(load_recipe(path))
    assert (recipe.on_empty, recipe.noises[0].prompter["checkpoint"]) == ("drop", "facebook/sam-vit-huge")
