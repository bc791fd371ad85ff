"""Every image store under the same laws."""

import random
from pathlib import Path

import pytest

from computekit.images import KeptImages, LocalImages
from computekit.testing import ManualClock
from computekit.testing.image_laws import ImageBench, ImageStoreLaws


class TestLocalImages(ImageStoreLaws):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> ImageBench:
        source = random.Random(7)

        def reopen() -> LocalImages:
            return LocalImages(tmp_path / "images", ManualClock(), source)

        def space() -> int:
            return sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())

        return ImageBench(reopen(), reopen, space)


class TestKeptImages(ImageStoreLaws):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> ImageBench:
        source = random.Random(7)

        def reopen() -> KeptImages:
            return KeptImages(tmp_path / "images", ManualClock(), source)

        def space() -> int:
            return sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())

        return ImageBench(reopen(), reopen, space)
