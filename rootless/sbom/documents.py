"""A list of packages as documents: our own JSON, CycloneDX 1.5 and SPDX 2.3, by their libraries."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from rootless import __version__
from rootless.errors import Precondition
from rootless.sbom.find import Found
from rootless.sbom.package import Package, purl

_NAMESPACE = "https://spdx.org/spdxdocs/"


def as_json(found: Found, image: str, digest: str) -> dict[str, Any]:
    """Return our own document: all that is known, without a library."""
    return {
        "image": {"name": image, "digest": digest},
        "distribution": asdict(found.distribution),
        "packages": [
            {**asdict(each), "purl": purl(each, found.distribution)} for each in found.packages
        ],
        "unread": list(found.unread),
    }


def as_cyclonedx(found: Found, image: str, digest: str) -> str:
    """Return a CycloneDX document; raises Precondition where its library is missing."""
    try:
        from cyclonedx.model.bom import Bom  # noqa: PLC0415 - an extra
        from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
        from cyclonedx.model.license import DisjunctiveLicense  # noqa: PLC0415
        from cyclonedx.output.json import JsonV1Dot5  # noqa: PLC0415
        from packageurl import PackageURL  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _missing("cyclonedx-python-lib") from error
    root = Component(name=image, version=digest, type=ComponentType.CONTAINER, bom_ref="image")
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, digest))
    bom.metadata.component = root
    bom.metadata.tools.components.add(
        Component(name="rootless", version=__version__, type=ComponentType.APPLICATION)
    )
    components = []
    for number, each in enumerate(found.packages):
        url = PackageURL.from_string(purl(each, found.distribution))
        components.append(
            Component(
                name=each.name,
                version=each.version,
                type=ComponentType.LIBRARY,
                bom_ref=f"{url}#{number}",
                purl=url,
                publisher=each.vendor or None,
                licenses=[DisjunctiveLicense(name=each.license)] if each.license else (),
            )
        )
    bom.components.update(components)
    bom.register_dependency(root, components)
    return str(JsonV1Dot5(bom).output_as_string(indent=2))


def as_spdx(found: Found, image: str, digest: str) -> str:
    """Return an SPDX document; raises Precondition where its library is missing."""
    try:
        model: Any = import_module("spdx_tools.spdx.model")  # an extra; its types are not exported
        converter: Any = import_module("spdx_tools.spdx.jsonschema.document_converter")
    except ModuleNotFoundError as error:
        raise _missing("spdx-tools") from error
    document_id, image_id = "SPDXRef-DOCUMENT", "SPDXRef-Image"
    info = model.CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=document_id,
        name=image,
        document_namespace=f"{_NAMESPACE}{uuid5(NAMESPACE_URL, digest)}",
        creators=[model.Actor(model.ActorType.TOOL, f"rootless-{__version__}")],
        created=datetime.now(UTC).replace(microsecond=0, tzinfo=None),
    )
    root = model.Package(image_id, image, model.SpdxNoAssertion(), version=digest)
    root.primary_package_purpose = model.PackagePurpose.CONTAINER
    root.files_analyzed = False
    packages = [
        _spdx_package(model, number, each, purl(each, found.distribution))
        for number, each in enumerate(found.packages)
    ]
    describes = model.RelationshipType.DESCRIBES
    contains = model.RelationshipType.CONTAINS
    relations = [model.Relationship(document_id, describes, image_id)]
    relations += [model.Relationship(image_id, contains, each.spdx_id) for each in packages]
    document = model.Document(info, packages=[root, *packages], relationships=relations)
    return json.dumps(converter.DocumentConverter().convert(document), indent=2)


def _spdx_package(model: Any, number: int, each: Package, url: str) -> Any:
    made = model.Package(
        f"SPDXRef-Package-{number}", each.name, model.SpdxNoAssertion(), version=each.version
    )
    made.files_analyzed = False
    made.license_comment = each.license or None
    made.comment = f"from {each.path}"
    category = model.ExternalPackageRefCategory.PACKAGE_MANAGER
    made.external_references = [model.ExternalPackageRef(category, "purl", url)]
    return made


def _missing(library: str) -> Precondition:
    fix = "pip install 'rootless[sbom]'; table and json need no library"
    return Precondition(f"{library} is not installed", "", fix)


def rows(packages: Iterable[Package]) -> list[list[str]]:
    """Return the rows of the table."""
    return [[each.name, each.version, each.kind, each.architecture] for each in packages]
