"""Content Credentials (C2PA): a signed manifest inside a video that says what made it.

Signing needs a certificate of the signer's own: the environment variable ``REPRO_C2PA_CERTIFICATE``
names a PEM file with the chain, the signer's certificate first, and ``REPRO_C2PA_KEY`` the PEM file
with its private key. Without them videos carry their other labels alone. Nothing is asked of the
network: signatures bear no outside time stamp.
"""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from repro.errors import UserError
from repro.files import atomic_path

CERTIFICATE_VARIABLE, KEY_VARIABLE = "REPRO_C2PA_CERTIFICATE", "REPRO_C2PA_KEY"

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media made by a trained model."""

_ABOUT = "org.talking-face-repro.made-by"
"""Label of the assertion that names the models."""

_UNTRUSTED = "signingCredential.untrusted"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signer:
    """Who signs.

    certificate  PEM of the chain, the signer's own first
    key          PEM of the private key
    algorithm    C2PA's name of the signature algorithm
    """

    certificate: bytes
    key: bytes
    algorithm: str

    def sign(self, path: Path, *, title: str, version: str, about: Mapping[str, object]) -> None:
        """Put a manifest into an mp4, in one move.

        Parameters
        ----------
        title : of the video
        version : of this package
        about : what made the video, as JSON

        Raises
        ------
        UserError
            The certificate is not one that may sign, or the folder cannot be written.
        """
        with atomic_path(path) as temporary, self._builder(title, version, about) as builder:
            self._run(lambda signer: builder.sign_file(path, temporary, signer))

    def try_out(self) -> None:
        """Sign a single pixel, to know before hours of work whether signing works.

        Raises
        ------
        UserError
            As ``sign``.
        """
        pixel = io.BytesIO(cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes())
        with self._builder("test", "0", {}) as builder:
            self._run(lambda signer: builder.sign(signer, "image/png", pixel, io.BytesIO()))

    def _builder(self, title: str, version: str, about: Mapping[str, object]):
        created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
        manifest = {
            "claim_generator_info": [{"name": "talking-face-repro", "version": version}],
            "title": title,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": [created]}},
                {"label": _ABOUT, "data": dict(about)},
            ],
        }
        return _c2pa().Builder(json.dumps(manifest))

    def _run(self, sign) -> None:
        c2pa = _c2pa()
        try:
            info = c2pa.C2paSignerInfo(self.algorithm.encode(), self.certificate, self.key, None)
            with c2pa.Signer.from_info(info) as signer:
                sign(signer)
        except c2pa.C2paError as error:
            raise UserError(
                f"The certificate that {CERTIFICATE_VARIABLE} names cannot sign videos ({error}); "
                f"give one for document signing, or unset {CERTIFICATE_VARIABLE}."
            ) from error


@dataclass(frozen=True)
class Manifest:
    """What a video's manifest says.

    state      "trusted": its signature fits the file and the signer is on a trust list; "valid":
               it fits, the signer is not known; "broken": the file was changed since, or the
               manifest is damaged
    signer     the name on the certificate
    generator  what made the file, with its version
    synthetic  whether it says that a trained model made the file
    about      what else is said of its making
    problems   codes of what does not fit
    """

    state: str
    signer: str
    generator: str
    synthetic: bool
    about: dict[str, Any]
    problems: tuple[str, ...]


def configured_signer() -> Signer | None:
    """The signer that the environment names, tried out; None where it names none.

    Raises
    ------
    UserError
        A file that is not there or not PEM, a key that is not the certificate's, a certificate
        that may not sign, or the package c2pa-python is missing.
    """
    named = {v: os.environ.get(v, "") for v in (CERTIFICATE_VARIABLE, KEY_VARIABLE)}
    if not any(named.values()):
        return None
    for variable, value in named.items():
        if not value:
            raise UserError(f"{variable} must be set too: signing takes a certificate and its key.")
        if not Path(value).is_file():
            raise UserError(f"{variable} names '{value}', which is no file.")
    certificate, key = (Path(value).read_bytes() for value in named.values())
    signer = Signer(certificate, key, _algorithm(certificate, key))
    signer.try_out()
    return signer


def read_manifest(path: Path) -> Manifest | None:
    """The manifest in a video, checked against it; None where there is none."""
    c2pa = _c2pa()
    try:
        reader = c2pa.Reader.try_create(path)
        if reader is None:
            return None
        with reader:
            return _told(reader)
    except c2pa.C2paError as error:
        return Manifest("broken", "", "", False, {}, (str(error),))


def _told(reader) -> Manifest:
    said = reader.get_active_manifest()
    checks = reader.get_validation_results().get("activeManifest", {})
    problems = tuple(
        entry["code"] for entry in checks.get("failure", ()) if entry["code"] != _UNTRUSTED
    )
    state = {"Trusted": "trusted", "Valid": "valid"}.get(reader.get_validation_state(), "broken")
    data = {entry["label"]: entry.get("data", {}) for entry in said.get("assertions", ())}
    actions = [
        action
        for label, entry in data.items()
        if label.startswith("c2pa.actions")
        for action in entry.get("actions", ())
    ]
    maker = (said.get("claim_generator_info") or [{}])[0]
    return Manifest(
        state,
        said.get("signature_info", {}).get("common_name", ""),
        f"{maker.get('name', '')} {maker.get('version', '')}".strip(),
        any(action.get("digitalSourceType") == SOURCE_TYPE for action in actions),
        data.get(_ABOUT, {}),
        problems,
    )


def _algorithm(certificate: bytes, key: bytes) -> str:
    """C2PA's name of the algorithm for a key, which must be the certificate's."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        owner = x509.load_pem_x509_certificates(certificate)[0].public_key()
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"The files that {CERTIFICATE_VARIABLE} and {KEY_VARIABLE} name must be a PEM "
            "certificate and its PEM key without a password."
        ) from error
    if private.public_key() != owner:
        raise UserError(
            f"The key that {KEY_VARIABLE} names is not that of the first certificate that "
            f"{CERTIFICATE_VARIABLE} names."
        )
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise UserError(
        f"The key that {KEY_VARIABLE} names is of a kind that C2PA does not take; "
        "use one on the curve P-256."
    )


def _c2pa():
    try:
        import c2pa
    except ImportError as error:
        raise UserError(
            "Content Credentials need the package c2pa-python, which is not installed "
            "(pip install c2pa-python)."
        ) from error
    return c2pa
