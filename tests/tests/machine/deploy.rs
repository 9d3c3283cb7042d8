//! `infra/deploy`, with stand-ins for AWS's command line, for `sam` and for `cargo`: what it asks, stores and passes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use house_tests::{binary, root};

/// A tree to deploy from, and what was called.
struct Tree(PathBuf);

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Tree {
    fn new(name: &str) -> Self {
        let tree = Self(std::env::temp_dir().join(format!("recent-deployers-deploy-{name}-{}", std::process::id())));
        for folder in ["infra", "target/lambda/on-merge", "bin", "parameters/recent-deployers"] {
            fs::create_dir_all(tree.0.join(folder)).unwrap();
        }
        for file in ["deploy", "template.yaml", "recent-deployers.toml", "CODEOWNERS", "calendars/holidays-se.ics"] {
            let to = tree.0.join("infra").join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root().join("infra").join(file), to).unwrap();
        }
        for function in house_tests::FUNCTIONS {
            fs::write(tree.0.join(format!("target/lambda/{function}.zip")), "zip").unwrap();
        }
        // What an ELF says of its machine: 183 is arm64's.
        let mut elf = vec![0; 64];
        elf[18] = 183;
        fs::write(tree.0.join("target/lambda/on-merge/bootstrap"), elf).unwrap();
        let layer = format!("#!/bin/sh\nshift 6\nexec '{}' \"$@\"\n", binary("recent-deployers").display());
        tree.program("cargo", &layer);
        tree.program("git", "#!/bin/sh\necho 1234567\n");
        fs::write(tree.0.join("target/lambda/commit"), "1234567\n").unwrap();
        tree.program("sam", "#!/bin/sh\nprintf '%s\\n' \"$@\" > sam.txt\n");
        // The parameters are files; `aws configure` knows no region.
        tree.program(
            "aws",
            r#"#!/bin/bash
case "$1 $2" in
  "sts get-caller-identity") [[ "$*" == *Account* ]] && echo 123456789012 || echo arn:aws:iam::123456789012:user/x ;;
  "ssm get-parameter")
    if [ -f "parameters$4" ]; then [[ "$*" == *Value* ]] && cat "parameters$4" || echo "$4"
    else echo "An error occurred (ParameterNotFound)" >&2; exit 254; fi ;;
  "ssm put-parameter")
    if [[ "$3" == --cli-input-json ]]; then
      python3 -c 'import json, sys; p = json.load(open(sys.argv[1][7:])); open("parameters" + p["Name"], "w").write(p["Value"])' "$4"
    else echo "$6" > "parameters$4"; fi ;;
  *) exit 253 ;;
esac
"#,
        );
        tree
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.0.join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Deploys, with these lines typed; whether it went well, what was said, and what `sam` was told.
    fn deploys(&self, region: &str, more: &[&str], typed: &str) -> (bool, String, String) {
        let path = format!("{}:{}", self.0.join("bin").display(), std::env::var("PATH").unwrap());
        fs::write(self.0.join("typed"), typed).unwrap();
        let output = Command::new("bash")
            .arg("infra/deploy")
            .arg("recent-deployers")
            .args(more)
            .current_dir(&self.0)
            .env_remove("AWS_REGION")
            .env_remove("AWS_DEFAULT_REGION")
            .env("PATH", path)
            .envs((!region.is_empty()).then_some(("AWS_REGION", region)))
            .stdin(Stdio::from(fs::File::open(self.0.join("typed")).unwrap()))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let told = fs::read_to_string(self.0.join("sam.txt")).unwrap_or_default();
        let _ = fs::remove_file(self.0.join("sam.txt"));
        (output.status.success(), String::from_utf8_lossy(&said).into_owned(), told)
    }

    fn parameter(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(format!("parameters/{name}"))).unwrap_or_default().trim().to_owned()
    }
}

#[test]
fn a_first_deployment_asks_for_the_secrets_and_names_each_functions_own() {
    let tree = Tree::new("first");
    let (well, said, told) =
        tree.deploys("eu-west-1", &["--", "OperationsEmail=ops@example.com"], "one\n\ntwo\n\n\n\n");
    assert!(well, "{said}");
    assert_eq!(tree.parameter("recent-deployers/alertmanager"), "one");
    assert_eq!(tree.parameter("recent-deployers/cloudwatch").len(), 64, "made up");
    assert!(!said.contains("one\n") && !told.contains("one\n"), "no secret is shown, nor told to sam");
    let arn = |name: &str| format!("arn:aws:ssm:eu-west-1:123456789012:parameter/recent-deployers/{name}");
    let lines: Vec<&str> = told.lines().collect();
    for line in [
        "SecretsPath=/recent-deployers".to_owned(),
        "Architecture=arm64".to_owned(),
        format!("OnMergeSecrets=\"{}\"", arn("github-webhook")),
        format!("OnDeploySecrets=\"{},{}\"", arn("generic"), arn("github-webhook")),
        // `sam` refuses a parameter without a value, unless it is quoted.
        "OnScheduleSecrets=\"\"".to_owned(),
        "HeldPipelines=\"\"".to_owned(),
        "RolledBackPipelines=\"\"".to_owned(),
    ] {
        assert!(lines.contains(&line.as_str()), "{line} of {told}");
    }
    assert_eq!(lines.last(), Some(&"OperationsEmail=ops@example.com"), "with the other parameters");
    assert_eq!(tree.parameter("recent-deployers.table-writes"), aws::schema::WRITES.to_string());
    // Again there is nothing left to ask.
    let (well, said, told) = tree.deploys("eu-west-1", &[], "");
    assert!(well && !said.contains("The secret") && told.contains("--confirm-changeset"), "{said}");
}

#[test]
fn what_must_not_be_deployed_is_refused_before_anything_is_asked() {
    let tree = Tree::new("refused");
    let refuses = |region: &str, why: &str| {
        let (well, said, told) = tree.deploys(region, &[], "");
        assert!(!well && said.contains(why) && told.is_empty() && !said.contains("The secret"), "{said}");
    };
    refuses("", "which region?");
    fs::write(tree.0.join("parameters/recent-deployers.table-writes"), "2\n").unwrap();
    refuses("eu-west-1", "has written version 2 of its table, and this commit reads 1");
    fs::remove_file(tree.0.join("parameters/recent-deployers.table-writes")).unwrap();
    fs::write(tree.0.join("target/lambda/commit"), "7654321\n").unwrap();
    refuses("eu-west-1", "of another commit (7654321)");
    fs::write(tree.0.join("target/lambda/commit"), "1234567\n").unwrap();
    tree.program(
        "aws",
        "#!/bin/sh\ncase \"$2\" in get-caller-identity) echo x ;; *) echo AccessDenied >&2; exit 254 ;; esac\n",
    );
    refuses("eu-west-1", "AccessDenied");
    fs::remove_file(tree.0.join("target/lambda/on-page.zip")).unwrap();
    refuses("eu-west-1", "run infra/build first");
}
