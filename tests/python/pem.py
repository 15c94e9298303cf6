"""Shows what is in PEM files: each argument is FILE, or FILE=PASSWORD for an encrypted key; a line of JSON each."""

import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def key_of(key):
    kinds = {rsa.RSAPrivateKey: "RSA", dsa.DSAPrivateKey: "DSA", ec.EllipticCurvePrivateKey: "ECC"}
    kind = next(name for cls, name in kinds.items() if isinstance(key, cls))
    return {"kind": kind, "size": key.key_size, "curve": key.curve.name if kind == "ECC" else None}


def certificate_of(certificate):
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {
        "issuer": certificate.issuer.rfc4514_string(),
        "subject": certificate.subject.rfc4514_string(),
        "names": [str(name.value) for name in names],
        "hash": certificate.signature_hash_algorithm.name,
        "days": (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() / 86400,
        "authority": extensions.get_extension_for_class(x509.BasicConstraints).value.ca,
        "serial": certificate.serial_number > 0,
    }


for argument in sys.argv[1:]:
    path, _, password = argument.partition("=")
    with open(path, "rb") as file:
        content = file.read()
    if b"PRIVATE KEY" in content:
        facts = key_of(load_pem_private_key(content, password.encode() or None))
    else:
        certificate = x509.load_pem_x509_certificate(content)
        certificate.verify_directly_issued_by(certificate)
        facts = certificate_of(certificate)
    print(json.dumps(facts))
