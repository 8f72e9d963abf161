"""What generated videos say of themselves, read back."""

import datetime
import json

import av
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from repro import __version__
from repro.corpus.video import VideoWriter
from repro.credentials import (
    CERTIFICATE_VARIABLE,
    KEY_VARIABLE,
    configured_signer,
    read_manifest,
)
from repro.errors import UserError
from repro.files import write_json
from repro.label import container_label, verify
from repro.output import Label, marked, write_labelled

MODELS = {"face": "open-face-1", "motion": "0123456789abcdef", "refiner": "fedcba9876543210"}


def frames(count=30):
    return [np.full((48, 64, 3), 8 * t, np.uint8) for t in range(count)]


def write(path, *, signer=None, record=True):
    """A labelled video as ``repro talk`` leaves it."""
    label = Label(MODELS, visible=False, signer=signer)
    sound = np.zeros(16000, np.float32)
    written = write_labelled(path, frames(), size=(64, 48), audio=sound, label=label)
    if record:
        code = {"version": __version__, "commit": "c" * 40}
        write_json(path.with_suffix(".json"), {"out": written, "models": MODELS, "code": code})
    return path


def reencoded(path, to):
    """The same pictures without any metadata, as a website would store them."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with VideoWriter(to, size=(64, 48)) as writer:
        for picture in pictures:
            writer.write(picture)
    return to


class Authority:
    """Issues certificates, as a C2PA signer has them."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.own = self._issue("authority", self.key.public_key(), ca=True)

    def certificate(self, public, *, signs_documents=True):
        return self._issue("a signer", public, ca=False, signs_documents=signs_documents)

    def _issue(self, subject, public, *, ca, signs_documents=True):
        now = datetime.datetime.now(datetime.UTC)
        use = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"], False,
        )  # fmt: skip
        use |= {"digital_signature": not ca, "key_cert_sign": ca, "crl_sign": ca}
        issuer = self.key.public_key()
        made = (
            x509.CertificateBuilder()
            .subject_name(self._name(subject))
            .issuer_name(self._name("authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**use), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False
            )
        )
        if not ca:
            purpose = ExtendedKeyUsageOID
            purpose = purpose.EMAIL_PROTECTION if signs_documents else purpose.SERVER_AUTH
            made = made.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        return made.sign(self.key, hashes.SHA256())

    @staticmethod
    def _name(common):
        about = {NameOID.COMMON_NAME: common, NameOID.ORGANIZATION_NAME: "Test"}
        return x509.Name([x509.NameAttribute(kind, value) for kind, value in about.items()])


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def configure(authority, tmp_path, monkeypatch):
    """Put a key and its certificate where the environment names them."""

    def put(key, *, certificate_of=None, **options):
        leaf = authority.certificate((certificate_of or key).public_key(), **options)
        chain = b"".join(c.public_bytes(Encoding.PEM) for c in (leaf, authority.own))
        (tmp_path / "chain.pem").write_bytes(chain)
        (tmp_path / "key.pem").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        monkeypatch.setenv(CERTIFICATE_VARIABLE, str(tmp_path / "chain.pem"))
        monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "key.pem"))

    return put


def test_a_generated_video_says_so_and_what_made_it(tmp_path):
    verdict = verify(write(tmp_path / "a.mp4"))
    assert verdict.whole and verdict.exit_code == 0
    assert verdict.record == "fits" and verdict.credentials is None
    assert verdict.made_by == f"talking-face-repro {__version__}, commit {'c' * 12}"
    assert verdict.models == MODELS


def test_without_its_record_the_file_still_says_it(tmp_path):
    verdict = verify(write(tmp_path / "a.mp4", record=False))
    assert verdict.whole and verdict.record == "none"
    assert verdict.made_by.startswith(f"talking-face-repro {__version__}")
    assert verdict.models == {
        "face": "open-face-1", "motion": "0123456789ab", "refiner": "fedcba987654",
    }  # fmt: skip


@pytest.mark.parametrize("models", [{}, {"face": "open-face-1"}, MODELS])
@pytest.mark.parametrize("commit", [None, "d" * 40])
def test_the_label_is_read_as_it_was_written(tmp_path, models, commit):
    tags = container_label(models, commit=commit)
    assert "trainedAlgorithmicMedia" in tags["comment"]
    with VideoWriter(tmp_path / "a.mp4", size=(64, 48), metadata=tags) as writer:
        writer.write(frames()[0])
    verdict = verify(tmp_path / "a.mp4")
    assert set(verdict.models) == set(models)
    assert ("commit dddddddddddd" in verdict.made_by) == (commit is not None)


def test_a_video_changed_after_its_record_does_not_fit(tmp_path):
    path = write(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    data[-5] ^= 255
    path.write_bytes(data)
    verdict = verify(path)
    assert verdict.synthetic and verdict.record == "does not fit"
    assert verdict.exit_code == 1


def test_a_video_whose_labels_were_stripped_is_not_called_real(tmp_path):
    bare = reencoded(write(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    verdict = verify(bare)
    assert not verdict.synthetic and verdict.exit_code == 1
    assert "proves nothing" in dict(verdict.lines())["synthetic"]
    (tmp_path / "b.json").write_text((tmp_path / "a.json").read_text())
    assert not verify(bare).synthetic  # somebody else's record


@pytest.mark.parametrize("record", ["", "[1]", '{"out": 3}', '{"out": {"file": "a.mp4"}}'])
def test_a_json_that_is_no_record_does_not_count(tmp_path, record):
    path = write(tmp_path / "a.mp4")
    path.with_suffix(".json").write_text(record)
    assert verify(path).record == "none"


def test_clips_of_the_synthetic_corpus_are_told(tmp_path):
    from repro.corpus.synthetic_clip import LABEL

    with VideoWriter(tmp_path / "a.mp4", size=(64, 48), metadata={"comment": LABEL}) as writer:
        writer.write(frames()[0])
    assert verify(tmp_path / "a.mp4").synthetic


def test_a_signed_video_carries_a_valid_manifest(configure, tmp_path):
    configure(ec.generate_private_key(ec.SECP256R1()))
    path = write(tmp_path / "a.mp4", signer=configured_signer())
    verdict = verify(path)
    assert verdict.whole and verdict.record == "fits"
    manifest = verdict.credentials
    assert (manifest.state, manifest.signer) == ("valid", "a signer")
    assert manifest.synthetic and manifest.about["models"] == MODELS
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
        assert container.metadata["comment"].startswith("Synthetic media")
    assert sorted(p.name for p in tmp_path.glob("*a.*")) == ["a.json", "a.mp4"]
    assert json.loads((tmp_path / "a.json").read_text())["out"]["signed"]


def test_the_manifest_alone_tells_who_made_it(configure, tmp_path):
    configure(ed25519.Ed25519PrivateKey.generate())
    signer = configured_signer()
    assert signer.algorithm == "ed25519"
    bare = reencoded(write(tmp_path / "a.mp4"), tmp_path / "b.mp4")
    signer.sign(bare, title="b", version="9.9", about={"models": {"motion": "x"}})
    verdict = verify(bare)
    assert verdict.whole and verdict.label == ""
    assert verdict.made_by == "talking-face-repro 9.9" and verdict.models == {"motion": "x"}


def test_a_signed_video_that_was_changed_is_broken(configure, tmp_path):
    configure(ec.generate_private_key(ec.SECP384R1()))
    path = write(tmp_path / "a.mp4", signer=configured_signer(), record=False)
    data = bytearray(path.read_bytes())
    data[-40] ^= 255
    path.write_bytes(data)
    verdict = verify(path)
    assert verdict.credentials.state == "broken" and verdict.exit_code == 1
    assert any("mismatch" in code.lower() for code in verdict.credentials.problems)


def test_nothing_is_signed_without_a_certificate(monkeypatch, tmp_path):
    monkeypatch.delenv(CERTIFICATE_VARIABLE, raising=False)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert configured_signer() is None
    assert read_manifest(write(tmp_path / "a.mp4")) is None


def test_a_certificate_that_cannot_sign_is_told_before_any_work(configure, monkeypatch, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    configure(key, signs_documents=False)
    with pytest.raises(UserError, match="cannot sign videos"):
        configured_signer()
    configure(key, certificate_of=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(UserError, match="is not that of the first certificate"):
        configured_signer()
    configure(ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(UserError, match="P-256"):
        configured_signer()
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(UserError, match="must be a PEM"):
        configured_signer()
    (tmp_path / "key.pem").unlink()
    with pytest.raises(UserError, match="is no file"):
        configured_signer()
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(UserError, match=f"{KEY_VARIABLE} must be set too"):
        configured_signer()


def test_a_file_that_is_no_video_cannot_be_told(tmp_path):
    (tmp_path / "a.mp4").write_text("text")
    for name in ("a.mp4", "gone.mp4"):
        with pytest.raises(UserError, match=name):
            verify(tmp_path / name)


def test_the_visible_mark_touches_only_a_corner():
    frame = np.full((256, 256, 3), 90, np.uint8)
    changed = (marked(frame) != frame).any(-1)
    rows, columns = np.nonzero(changed)
    assert changed.any() and rows.min() > 235 and columns.max() < 100
