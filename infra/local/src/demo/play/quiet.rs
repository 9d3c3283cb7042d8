//! What is played without being printed, what of it is shown afterwards, and what pipelines are answered.

use super::{Play, mask};
use crate::demo::DemoError;
use crate::hands::Hands;

impl Play {
    /// From now on nothing is printed, or everything again. What was heard meanwhile can be shown by [`Self::heard`].
    pub fn hushed(&mut self, is: bool) -> Result<(), DemoError> {
        if is {
            self.seen.clear();
        }
        self.hushed = is.then(Vec::new);
        Ok(())
    }

    /// The first message since it was last hushed whose title has this.
    pub fn heard(&mut self, what: &str, name: &str, part: &str) -> Result<(), DemoError> {
        self.stamp(what)?;
        let has = |text: &&String| {
            let mut lines = text.lines();
            lines.next().is_some_and(|head| head.contains(name))
                && lines.next().is_some_and(|title| title.contains(part))
        };
        let found = self.seen.iter().find(has).cloned().unwrap_or_default();
        for line in found.lines() {
            self.say(&format!("    {}", mask(line)))?;
        }
        Ok(())
    }

    /// What a pipeline is answered.
    pub async fn may(&mut self, what: &str, query: &[(&str, &str)]) -> Result<(), DemoError> {
        self.stamp(what)?;
        let house = self.bundle.house.clone();
        let (address, now) = (self.address.clone(), self.clock.now());
        let hands = Hands { configuration: &house.configuration, secrets: &house.secrets, address, now };
        let said = hands.may("may-deploy", query).await?;
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", short(value))).collect();
        self.say(&format!(
            "           GET /may-deploy?{} -> {}",
            query.join("&"),
            said.words.lines().next().unwrap_or("?")
        ))?;
        for line in said.words.lines().skip(1) {
            self.say(&format!("           {line}"))?;
        }
        Ok(())
    }
}

/// A commit is cut to what people read of it.
fn short(value: &str) -> &str {
    value.get(..10).filter(|_| value.len() == 40).unwrap_or(value)
}
