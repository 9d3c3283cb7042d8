//! What a person can want by a command, and the form that a button would send for it.

/// What a person wants.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Take the service's pager, or put somebody on call.
    Take {
        person: Option<String>,
        how_long: String,
        from: Option<String>,
    },
    GiveBack,
    /// A test page to somebody.
    Drill {
        person: Option<String>,
    },
    HandOver {
        change: String,
        to: String,
    },
    /// The answer to "take the pager?".
    Answer {
        change: String,
        takes: bool,
    },
    Pause {
        why: String,
        how_long: Option<String>,
    },
    Resume,
    /// Forget what was learnt of the service's past.
    Unlearn,
    /// The service may break for a while.
    Maintain {
        how_long: String,
        why: String,
        environment: Option<String>,
        from: Option<String>,
    },
    Maintained,
    /// So far does automation go.
    Mode {
        to: String,
        why: String,
    },
    Freeze(Box<NewFreeze>),
    Thaw {
        freeze: String,
    },
    /// A fix is to pass a freeze, or not.
    Expedite {
        pull: String,
        why: String,
        does: &'static str,
    },
    LetThrough,
}

/// A freeze as it is declared on the command line; each text goes to the bundle, which says what is wrong with it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct NewFreeze {
    /// What people call it, such as "gratitude week".
    pub name: String,
    /// Until when, such as "2026-12-28 09:00" or "Mon 09:00".
    #[arg(long)]
    pub until: String,
    /// From when; without this, from now.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub from: String,
    /// In which zone its times are; without this, in yours.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub zone: String,
    /// weekend, holiday, hackathon or peak-event: what it asks for, where `--merges` and `--deployments` do not say; a holiday's, if
    /// nothing says.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub preset: String,
    /// advise, require or allow.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub merges: String,
    /// advise, require or allow.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub deployments: String,
    /// Of these services only, with commas between them.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub services: String,
    /// Of these repositories only; `*` stands for anything.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub repositories: String,
    /// Of deployments to these environments only.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub environments: String,
    /// Declare nothing: show the changes, people and releases that it would touch.
    #[arg(long)]
    pub preview: bool,
    /// A short name; said again, what is under way or ahead by this name is changed.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub called: String,
}

impl Wish {
    /// What the command is about, where that is no service.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        match self {
            Self::Freeze(freeze) => {
                Some(format!("\"{}\" --until \"{}\" --preset {}", freeze.name, freeze.until, freeze.preset))
            }
            Self::Thaw { freeze } => Some(freeze.clone()),
            Self::Expedite { pull, why, .. } => Some(format!("{pull} {why}").trim_end().to_owned()),
            Self::Take { .. }
            | Self::GiveBack
            | Self::Drill { .. }
            | Self::HandOver { .. }
            | Self::Answer { .. }
            | Self::Pause { .. }
            | Self::Resume
            | Self::Unlearn
            | Self::LetThrough
            | Self::Maintain { .. }
            | Self::Mode { .. }
            | Self::Maintained => None,
        }
    }

    /// The command that says it.
    #[must_use]
    pub fn command(&self) -> &'static str {
        match self {
            Self::Take { .. } => "take",
            Self::GiveBack => "give-back",
            Self::Drill { .. } => "drill",
            Self::HandOver { .. } => "hand-over",
            Self::Answer { .. } => "answer",
            Self::Pause { .. } => "pause",
            Self::Resume => "resume",
            Self::Unlearn => "unlearn",
            Self::Maintain { .. } | Self::Maintained => "maintain",
            Self::Mode { .. } => "mode",
            Self::Freeze(_) => "freeze",
            Self::Thaw { .. } => "thaw",
            Self::Expedite { .. } => "expedite",
            Self::LetThrough => "let-through",
        }
    }
}

/// The form that a button would send.
pub(crate) fn form(wish: &Wish) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let does = match wish {
        Wish::Take { .. } | Wish::Answer { takes: true, .. } => "take",
        Wish::Answer { takes: false, .. } => "decline",
        Wish::GiveBack => "give-back",
        Wish::Drill { .. } => "drill",
        Wish::HandOver { .. } => "hand-over",
        Wish::Pause { .. } => "pause",
        Wish::Resume => "resume",
        Wish::Unlearn => "unlearn",
        Wish::Maintain { .. } => "maintain",
        Wish::Maintained => "maintained",
        Wish::Mode { .. } => "mode",
        Wish::Freeze(_) => "freeze",
        Wish::Thaw { .. } => "thaw",
        Wish::Expedite { does, .. } => does,
        Wish::LetThrough => "let-through",
    };
    form.append_pair("do", does);
    match wish {
        Wish::Take { person, how_long, from } => {
            form.append_pair("for", how_long);
            person.iter().for_each(|person| {
                form.append_pair("person", person);
            });
            from.iter().for_each(|from| {
                form.append_pair("from", from);
            });
        }
        Wish::Drill { person } => person.iter().for_each(|person| {
            form.append_pair("person", person);
        }),
        Wish::HandOver { to, .. } => {
            form.append_pair("to", to);
        }
        Wish::Pause { why, how_long } => {
            form.append_pair("why", why);
            form.append_pair("for", how_long.as_deref().unwrap_or(""));
        }
        Wish::Maintain { how_long, why, environment, from } => {
            form.append_pair("for", how_long).append_pair("why", why);
            for (name, given) in [("environment", environment), ("from", from)] {
                form.append_pair(name, given.as_deref().unwrap_or(""));
            }
        }
        Wish::Freeze(freeze) => {
            let NewFreeze {
                name,
                until,
                from,
                zone,
                preset,
                merges,
                deployments,
                services,
                repositories,
                environments,
                called,
                preview,
            } = freeze.as_ref();
            let just = if *preview { "show" } else { "" };
            form.append_pair("just", just);
            form.extend_pairs([
                ("name", name),
                ("until", until),
                ("from", from),
                ("zone", zone),
                ("preset", preset),
                ("merges", merges),
                ("deployments", deployments),
                ("services", services),
                ("repositories", repositories),
                ("environments", environments),
                ("freeze", called),
            ]);
        }
        Wish::Mode { to, why } => {
            form.append_pair("mode", to).append_pair("why", why);
        }
        Wish::Thaw { freeze } => {
            form.append_pair("freeze", freeze);
        }
        Wish::Expedite { why, .. } => {
            form.append_pair("why", why);
        }
        Wish::LetThrough | Wish::GiveBack | Wish::Answer { .. } | Wish::Resume | Wish::Unlearn | Wish::Maintained => {}
    }
    form.finish()
}
