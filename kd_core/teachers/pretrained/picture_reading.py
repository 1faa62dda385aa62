"""How a pretrained model wants its pictures: resized, cut to the middle, brought to its scale; told by its folder, done without Pillow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.functional import interpolate

from kd_core.data.plain.counted import plural
from kd_core.teachers.pretrained.config import bounds

LEAST_SIDE, MOST_SIDE = 8, 1_024
_GREY = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R 601-2), as Pillow makes grey pictures
_FILTERS = {2: "bilinear", 3: "bicubic"}  # by Pillow's numbers
_UNCROPPED_FROM = 384  # ConvNeXt's own rule: models of larger pictures see all of them


@dataclass(frozen=True)
class PictureReading:
    """One way to read pictures. `size` (height, width) of what the model gets; `edge`: the shorter side before the middle is cut out, 0 where pictures are stretched to `size`."""

    size: tuple[int, int]
    edge: int
    filter: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def read(self, pixels: Tensor) -> Tensor:
        """Turn bytes into what the model takes. Shape: (B, K, H, W) uint8 -> (B, bands, *size) float32, K 1 or 3."""
        bands = len(self.mean)
        x = self._resized(pixels.float())
        if x.shape[1] == 1 and bands == 3:
            x = x.expand(-1, 3, -1, -1)
        elif x.shape[1] == 3 and bands == 1:
            x = (x * x.new_tensor(_GREY)[:, None, None]).sum(1, keepdim=True).round()
        return (x * self.scale - x.new_tensor(self.mean)[:, None, None]) / x.new_tensor(self.std)[:, None, None]

    def _resized(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        shorter = min(height, width)
        wanted = (self.edge * height // shorter, self.edge * width // shorter) if self.edge else self.size
        # As Pillow does it: across first, then down, whole numbers from 0 to 255 after each, as a picture file would hold them.
        for pass_to in ((height, wanted[1]), wanted):
            if pass_to != tuple(x.shape[2:]):
                x = interpolate(x, pass_to, mode=self.filter, antialias=True, align_corners=False)
                x = (x + 0.5).floor().clamp(0, 255)  # halves go up
        top, left = (wanted[0] - self.size[0]) // 2, (wanted[1] - self.size[1]) // 2
        return x[:, :, top : top + self.size[0], left : left + self.size[1]]


def reading_of(told: Mapping[str, Any], bands: int) -> PictureReading:
    """Understand a preprocessor_config.json; what it does not tell is as in most models. Errors: DataError `model_bounds`."""
    if told.get("do_resize", True) is not True:
        raise bounds("do_resize", told["do_resize"], "true: a model takes pictures of one size")
    resample = told.get("resample", 2)
    if not isinstance(resample, int) or resample not in _FILTERS:
        raise bounds("resample", resample, "2 (bilinear) or 3 (bicubic)")
    edge, size = _sizes(told)
    scale = _number("rescale_factor", told.get("rescale_factor", 1 / 255)) if told.get("do_rescale", True) else 1.0
    mean, std = (0.0,) * bands, (1.0,) * bands
    if told.get("do_normalize", True):
        mean, std = (_bands(told, name, bands) for name in ("image_mean", "image_std"))
    if any(s <= 0 for s in std):
        raise bounds("image_std", list(std), "above 0")
    return PictureReading(size, edge, _FILTERS[resample], scale, mean, std)


def _sizes(told: Mapping[str, Any]) -> tuple[int, tuple[int, int]]:
    """Return the shorter side before the middle is cut out, or 0, and the size of what is left."""
    size, cut = told.get("size"), bool(told.get("do_center_crop", False))
    kind = str(told.get("image_processor_type") or told.get("feature_extractor_type") or "")
    convnext = kind.startswith("ConvNext") or "crop_pct" in told
    if isinstance(size, int) and (convnext or cut):  # older files: one number
        size = {"shortest_edge": size}
    if not isinstance(size, Mapping) or "shortest_edge" not in size:
        pair = _pair("size", size)
        if cut and _cut(told, pair) != pair:
            raise bounds("crop_size", told.get("crop_size"), "as large as size, or size tell the shortest edge")
        return 0, pair
    edge = _side("size", size["shortest_edge"])
    if convnext:
        share = _number("crop_pct", told.get("crop_pct") or 224 / 256)
        if not 0.1 <= share <= 1:
            raise bounds("crop_pct", share, "a number from 0.1 to 1")
        return (0 if edge >= _UNCROPPED_FROM else int(edge / share)), (edge, edge)
    if not cut:
        raise bounds("do_center_crop", False, "true where size names the shortest edge alone")
    return edge, _cut(told, (edge, edge))


def _cut(told: Mapping[str, Any], whole: tuple[int, int]) -> tuple[int, int]:
    found = _pair("crop_size", told.get("crop_size"))
    if found[0] > whole[0] or found[1] > whole[1]:
        raise bounds("crop_size", list(found), "within the resized picture")
    return found


def _pair(name: str, told: Any) -> tuple[int, int]:
    if isinstance(told, Mapping):
        return _side(name, told.get("height")), _side(name, told.get("width"))
    return _side(name, told), _side(name, told)


def _side(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not LEAST_SIDE <= value <= MOST_SIDE:
        raise bounds(name, value, f"told in pixels, {LEAST_SIDE} to {MOST_SIDE:,} a side")
    return value


def _bands(told: Mapping[str, Any], name: str, bands: int) -> tuple[float, ...]:
    value = told.get(name)
    if not isinstance(value, list) or len(value) != bands:
        raise bounds(name, value, f"a list of {plural(bands, 'number')}, one for each band")
    return tuple(_number(name, one) for one in value)


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1e3:
        raise bounds(name, value, "a number from 0 to 1,000")
    return float(value)
