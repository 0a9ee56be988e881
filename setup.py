"""What an installed wheel requires: the pins of requirements.txt, those of development as an extra.

All else is in pyproject.toml. This is here so that versions have one home.
"""

import pathlib
import re

import setuptools


def pins(text: str) -> list[str]:
    return re.findall(r"^[\w.-]+==[\w.]+", text, re.MULTILINE)


text = pathlib.Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8")
needed, _, development = text.partition("# Development")
setuptools.setup(install_requires=pins(needed), extras_require={"dev": pins(development)})
