"""The teacher follows the student's weights, shows its logits to the losses, and leaves everything else alone."""

import copy
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from noisyseg.registry import MODELS

TINY = Path(__file__).resolve().parents[2] / "tiny_unet.py"


@MODELS.register_module(name="TeacherProbe")
class TeacherProbe(nn.Module):
    """A loss that keeps the context it was given."""

    loss_name = "loss_probe"
    seen = None

    def context(self, seg_logits, batch_data_samples):
        TeacherProbe.seen = torch.stack([sample.teacher_logits.data for sample in batch_data_samples])
        return {}

    def forward(self, pred, target, weight=None, *, ignore_index, image_weight=None):
        return nn.functional.cross_entropy(pred, target, ignore_index=ignore_index)


def config_of(**settings):
    init_default_scope("mmseg")
    segmentor = Config.fromfile(TINY).model
    segmentor.decode_head.update(
        type="noisyseg.NoiseAwareHead",
        head="mmseg.FCNHead",
        dropout_ratio=0.5,
        loss_decode=dict(type="noisyseg.TeacherProbe"),
    )
    return dict(type="noisyseg.TeacherStudentSegmentor", segmentor=segmentor, **settings)


def build(**settings):
    torch.manual_seed(0)
    model = MODELS.build(config_of(**settings))
    model.init_weights()
    return model.train()


def batch(seed=0, size=(32, 32), images=2):
    generator = torch.Generator().manual_seed(seed)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=torch.randint(0, 2, (1, *size), generator=generator)),
            metainfo={"img_shape": torch.Size((20, 20)), "ori_shape": size, "pad_shape": size, "img_path": str(i)},
        )
        for i in range(images)
    ]
    return torch.randn(images, 3, *size, generator=generator), samples


def step(model, optimizer, seed):
    loss = model(*batch(seed), mode="loss")["decode.loss_probe"]
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_the_teacher_is_the_average_of_the_students():
    model = build(momentum=0.4)
    model.start_teacher()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    expected = copy.deepcopy(model.student.state_dict())
    for seed, rate in enumerate([1, 1 / 2, 0.4, 0.4]):
        step(model, optimizer, seed)
        model.update_teacher()
        for name, value in model.student.state_dict().items():
            new = value if not value.is_floating_point() else (1 - rate) * expected[name] + rate * value
            expected[name] = new.clone()
        for name, value in model.teacher.state_dict().items():
            torch.testing.assert_close(value, expected[name])
    assert model.updates == 4
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.teacher.parameters())
    assert (model.teacher.decode_head.conv_seg.weight != model.student.decode_head.conv_seg.weight).any()


def test_the_student_begins_with_the_weights_of_a_plain_segmentor():
    model = build()
    torch.manual_seed(0)
    plain = MODELS.build(config_of()["segmentor"])
    plain.init_weights()
    for network in (model.student, model.teacher):
        for name, value in plain.state_dict().items():
            if not name.startswith("data_preprocessor."):
                assert torch.equal(network.state_dict()[name], value)


def test_the_segmentors_own_preprocessor_wins_over_that_of_the_whole_config():
    whole = dict(type="mmseg.SegDataPreProcessor", size_divisor=7)
    config = config_of(data_preprocessor=whole)
    assert MODELS.build(config).data_preprocessor.size == (32, 32)
    del config["segmentor"]["data_preprocessor"]
    assert MODELS.build(config).data_preprocessor.size_divisor == 7


def test_buffers_can_be_copied():
    model = build(buffers="copy", momentum=0.1)
    model.start_teacher()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for seed in range(3):
        step(model, optimizer, seed)
        model.update_teacher()
    for ours, theirs in zip(model.teacher.buffers(), model.student.buffers(), strict=True):
        assert torch.equal(ours, theirs)


def test_losses_see_the_teachers_logits_of_the_same_view_and_the_samples_stay_as_they_were():
    model = build()
    with torch.no_grad():
        for parameter in model.teacher.parameters():
            parameter.mul_(1.5)
    model.start_teacher()
    with torch.no_grad():
        for parameter in model.teacher.parameters():
            parameter.mul_(1.1)
    state = copy.deepcopy(model.teacher.state_dict())
    inputs, samples = batch(size=(32, 48))
    model(inputs, samples, mode="loss")
    assert TeacherProbe.seen.shape == (2, 2, 32, 48)
    assert not TeacherProbe.seen.requires_grad
    alone = copy.deepcopy(model.teacher).eval()
    whole = [{"img_shape": inputs.shape[2:]}] * 2
    torch.testing.assert_close(TeacherProbe.seen, alone.encode_decode(inputs, whole))
    assert "teacher_logits" not in samples[0]
    for name, value in model.teacher.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_teacher_in_training_mode_sees_the_statistics_of_the_batch():
    evaluating, training = build(), build(teacher_mode="train")
    assert not any(module.training for module in evaluating.teacher.modules())
    assert all(module.training for module in training.teacher.modules())
    assert not any(module.training for module in training.eval().modules())
    seen = []
    for model in (evaluating.train(), training.train()):
        model.start_teacher()
        model(*batch(), mode="loss")
        seen.append(TeacherProbe.seen)
    assert not torch.allclose(*seen)


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_predictions_are_of_the_chosen_one(who):
    model = build(predict_with=who)
    with torch.no_grad():
        model.teacher.decode_head.conv_seg.bias.add_(torch.tensor([5.0, -5.0]))
    model.eval()
    inputs, _ = batch()
    chosen = getattr(model, who)
    other = model.student if who == "teacher" else model.teacher
    logits, expected, wrong = (
        torch.stack([sample.seg_logits.data for sample in network(inputs, mode="predict")])
        for network in (model, chosen, other)
    )
    torch.testing.assert_close(logits, expected)
    assert not torch.allclose(logits, wrong)
    torch.testing.assert_close(model(inputs, mode="tensor"), chosen(inputs, mode="tensor"))
    assert (model.num_classes, model.out_channels, model.align_corners) == (2, 2, False)


def test_the_state_of_a_plain_segmentor_loads_into_both():
    model, other = build(), build()
    plain = {name: value + 1 for name, value in other.student.state_dict().items()}
    missing, unexpected = model.load_state_dict(plain, strict=False)
    assert (missing, unexpected) == (["updates"], [])
    for network in (model.student, model.teacher):
        for name, value in network.state_dict().items():
            assert torch.equal(value, plain[name])
    state = copy.deepcopy(model.state_dict())
    state["updates"] += 3
    state["teacher.decode_head.conv_seg.bias"] += 1
    other.load_state_dict(state)
    other.start_teacher()
    for name, value in other.state_dict().items():
        assert torch.equal(value, state[name])


def test_autocast_reaches_the_teacher():
    model = build()
    model.start_teacher()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(*batch(), mode="loss")
    assert TeacherProbe.seen.dtype == torch.bfloat16


def test_without_a_start_it_raises():
    model = build()
    with pytest.raises(ValueError, match=r"noisyseg\.TeacherHook"):
        model(*batch(), mode="loss")
    with pytest.raises(ValueError, match="has not started"):
        model.update_teacher()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 0}, "the student's share in"),
        ({"buffers": "skip"}, "buffers: expected one of average, copy"),
        ({"teacher_mode": "test"}, "teacher_mode: expected one of eval, train"),
        ({"predict_with": "both"}, "predict_with: expected one of student, teacher"),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config_of(**settings))


def train_one_rank(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    model = build(momentum=0.4)
    wrapped = DistributedDataParallel(model, broadcast_buffers=False)
    model.start_teacher()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for seed in range(3):
        step(wrapped, optimizer, 10 * rank + seed)
        model.update_teacher()
    torch.save(model.state_dict(), f"{folder}/{rank}.pth")
    torch.distributed.destroy_process_group()


def test_two_processes_have_the_same_teacher(tmp_path):
    mp.spawn(train_one_rank, (str(tmp_path),), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pth") for rank in range(2))
    weights = [name for name, _ in build().named_parameters()]
    for name in weights:
        assert torch.equal(first[name], second[name])
    assert any((first[name] != first[name.replace("teacher.", "student.")]).any() for name in weights)
