"""Translates infra/template.yaml as AWS does, to plain CloudFormation in JSON: translate.py TEMPLATE OUT [S3_PREFIX].

What CodeUri and ContentUri name is taken to be at S3_PREFIX (s3://bucket/prefix), in a zip of that name."""
import json
import sys

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The template names none: each role is written out."""

    def load(self):
        return {}


def main():
    template, out = sys.argv[1:3]
    prefix = sys.argv[3] if len(sys.argv) > 3 else "s3://bundle/code"
    text = json.loads(json.dumps(cfn_yaml.load(template)))
    text.pop("Metadata", None)
    for resource in text["Resources"].values():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                name = resource["Properties"][key].rsplit("/", 1)[-1].removesuffix(".zip")
                resource["Properties"][key] = f"{prefix}/{name}.zip"
    translated = transform(text, {}, NoManagedPolicies())
    with open(out, "w") as file:
        json.dump(translated, file, indent=1)


main()
