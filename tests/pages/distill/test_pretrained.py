"""The pretrained encoder on the Distill screen: offered for texts where it is installed, with the reason elsewhere."""

from __future__ import annotations

import html
import importlib.util
import json

import pytest

from kd_core.scenarios import default_spec
from kd_core.specs import DatasetSpec
from kd_core.teachers.pretrained import folders
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.teachers.pretrained.hub_server import COMMIT, NAME, hub
from tests.teachers.pretrained.test_config import BERT
from tests.teachers.pretrained.tiny import need, text_frame

pytestmark = pytest.mark.slow


@pytest.fixture
def texts():
    stored = engine.library().add(text_frame().to_csv(index=False).encode(), "texts.csv")
    kinds = {"text": "text"}
    return engine.library().save_spec(DatasetSpec(source=stored.source, name="texts.csv", target="label", kinds=kinds))


@pytest.fixture
def model(tmp_path):
    """A folder in the workspace that looks like a model."""
    place = tmp_path / "mine"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(BERT))
    for name in ("tokenizer.json", "model.safetensors"):
        (place / name).write_text("nobody opens it")
    return folders.add(place)


def test_it_is_chosen_with_a_model_at_hand_and_started(texts, model, jobs):  # noqa: F811
    need("transformers")
    at = open_page("distill", data=texts)
    at.selectbox(key="distill.teacher.from").set_value("pretrained").run()
    assert not at.exception
    choice = at.selectbox(key="distill.teacher.pretrained.model")
    assert choice.options[-1] == model and choice.label == "Model"
    assert choice.value == folders.MINILM and not choice.proto.placeholder.startswith("Choose a model")
    choice.set_value(model).run()
    assert "Each training row is labelled by a teacher that never saw it" in words(at)
    mode = at.selectbox(key="distill.teacher.pretrained.mode")
    assert mode.options == ["probe: learn from its vectors", "fine-tune: train all of it", "as it is"]
    at.radio(key="distill.choose.way").set_value("named").run()
    at.button(key="distill-start").click().run()
    ((spec, _, _),) = jobs.submitted
    assert spec.teacher.name == "pretrained" and spec.teacher.settings == {"model": model}


def test_a_table_without_texts_says_why_not():
    need("transformers")
    at = open_page("distill", data=engine.library().save_spec(default_spec("purchase").dataset))
    assert "Pretrained" not in at.selectbox(key="distill.teacher.from").options
    assert "Pretrained encoder" in words(at) and "reads word pieces" in words(at)


def test_where_it_is_not_installed_the_command_is_told(texts, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "transformers" else found(name, *more)
    )
    at = open_page("distill", data=texts)
    said = words(at)
    assert not at.exception and "needs the package transformers, which is not installed; run 'make pretrained'" in said
    assert "Pretrained" not in at.selectbox(key="distill.teacher.from").options


def said(at) -> str:
    """Return what the page says as people read it."""
    return html.unescape(words(at)).replace("\u2060", "")


def test_another_model_is_fetched_from_an_allowed_hub_and_chosen(texts, tmp_path, monkeypatch, jobs):  # noqa: F811
    need("transformers")
    at = open_page("distill", data=texts)
    at.selectbox(key="distill.teacher.from").set_value("pretrained").run()
    place = "distill.teacher.pretrained.model"
    assert "Fetching from a hub is switched off" in said(at) and "KD_HUB_MODELS=owner/name" in said(at)
    assert not [one for one in at.text_input if one.key == f"{place}.hub"]
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(BERT))
    for name in ("tokenizer.json", "model.safetensors"):
        (folder / name).write_text("nobody opens it")
    with hub(folder) as (address, _):
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("KD_HUB_MODELS", NAME)
        at.run()
        at.text_input(key=f"{place}.hub").set_value(NAME).run()
        at.button(key=f"{place}.fetch").click().run()
        assert "without a revision" in said(at) and f"{NAME}@any commit" in said(at)
        at.text_input(key=f"{place}.hub").set_value(f"{NAME}@{COMMIT}").run()
        at.button(key=f"{place}.fetch").click().run()
    assert not at.exception
    chosen = at.selectbox(key=place).value
    assert chosen.startswith("tiny-model-") and chosen in folders.names()
    at.radio(key="distill.choose.way").set_value("named").run()
    at.button(key="distill-start").click().run()
    ((spec, _, _),) = jobs.submitted
    assert spec.teacher.settings == {"model": chosen}


def test_the_list_of_networks_of_pictures_has_no_empty_entry(tmp_path, monkeypatch):
    need("transformers")
    place = folders.models() / "vit"
    place.mkdir(parents=True)
    for name in folders.KINDS[folders.PICTURES].files:
        (place / name).write_text("{}")
    at = open_page("distill", data=engine.library().save_spec(default_spec("product_pictures").dataset))
    at.selectbox(key="distill.teacher.from").set_value("pretrained").run()
    choice = at.selectbox(key="distill.teacher.pretrained_pictures.folder")
    assert choice.options == ["vit"] and choice.value is None and choice.proto.placeholder == "Choose a model"
    assert not at.exception and t("distill.waiting.no_model") in said(at)
    choice.set_value("vit").run()
    assert at.selectbox(key="distill.teacher.pretrained_pictures.folder").value == "vit"
