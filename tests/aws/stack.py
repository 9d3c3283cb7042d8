"""Creates the translated template in MiniStack with the built bootstraps, and says where things are, as one JSON line:
stack.py ENDPOINT TEMPLATE BINARIES CONFIGURATION_FOLDER.

MiniStack is not AWS. What is changed for it, and only here: functions are told its address, and where the configuration is,
since their layer is not mounted at /opt where they run as processes of this machine."""
import io
import json
import os
import sys
import time
import zipfile

from botocore.config import Config
from botocore.session import get_session

FUNCTIONS = ["on-merge", "on-deploy", "on-alert", "on-schedule", "on-page", "on-request"]
STACK = "recent-deployers-test"
SECRETS = {
    "github": "It's a Secret to Everybody",
    "sign-in": "the client's secret",
    "alertmanager": "alertmanager-token",
    "links": "links-key",
    "hook": "hook-key",
}


def main():
    endpoint, template, binaries, configuration = sys.argv[1:5]

    def client(name):
        return get_session().create_client(
            name,
            region_name="eu-west-1",
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}, read_timeout=120),
        )

    s3, ssm, formation = client("s3"), client("ssm"), client("cloudformation")
    s3.create_bucket(Bucket="bundle", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def upload(name, files):
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_STORED) as file:
            for inside, path in files:
                entry = zipfile.ZipInfo(inside)
                entry.external_attr = 0o755 << 16
                with open(path, "rb") as source:
                    file.writestr(entry, source.read())
        s3.put_object(Bucket="bundle", Key=f"code/{name}.zip", Body=zipped.getvalue())

    for function in FUNCTIONS:
        upload(function, [("bootstrap", os.path.join(binaries, function))])
    files = []
    for folder, _, names in os.walk(configuration):
        for name in names:
            path = os.path.join(folder, name)
            files.append((os.path.relpath(path, configuration), path))
    upload("configuration", files)
    for name, value in SECRETS.items():
        ssm.put_parameter(Name=f"/recent-deployers/{name}", Value=value, Type="SecureString", Overwrite=True)

    text = json.load(open(template))
    for resource in text["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            variables = resource["Properties"]["Environment"]["Variables"]
            variables["AWS_ENDPOINT_URL"] = endpoint
            variables["RECENT_DEPLOYERS_CONFIG"] = os.path.join(configuration, "recent-deployers.toml")
    parameters = {"Architecture": "x86_64"}
    formation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(text),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    for _ in range(120):
        stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.5)
    resources = formation.describe_stack_resources(StackName=STACK)["StackResources"]
    print(
        json.dumps(
            {
                "status": stack["StackStatus"],
                "why": stack.get("StackStatusReason", ""),
                "outputs": {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
                "made": {r["LogicalResourceId"]: r["ResourceStatus"] for r in resources},
                "physical": {r["LogicalResourceId"]: r.get("PhysicalResourceId", "") for r in resources},
            }
        )
    )


main()
