//! The environment of a container, and the ways in which a config may write it.

use super::form::Short;
use super::form::ShortOr;
use super::form::WordsForm;
use super::form::Written;
use super::form::wrong;
use crate::name::EnvKey;
use crate::name::SecretKey;
use crate::name::visible;
use serde::Deserialize;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_spanned::Spanned;
use std::fmt;

/// The environment of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    /// Variables with their values.
    pub plain: Vec<(Spanned<EnvKey>, String)>,
    /// Variables whose values gordon reads when it runs and never shows.
    pub secret: Vec<SecretVariable>,
}

/// A variable whose value gordon reads when it runs and never shows.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretVariable {
    /// Its name.
    pub key: Spanned<SecretKey>,
    /// The words of a command that prints its value; none without one.
    pub command: Vec<String>,
}

impl<'de> Deserialize<'de> for SecretVariable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            name: Spanned<SecretKey>,
            command: WordsForm,
        }

        match ShortOr::<SecretKey, Table>::deserialize(deserializer)? {
            ShortOr::Short(key) => Ok(Self { key, command: Vec::new() }),
            ShortOr::Table(Table { name, command: WordsForm::List(command) | WordsForm::Line(command) }) => {
                Ok(Self { key: name, command })
            }
            ShortOr::Table(_) => {
                Err(wrong("the command has no words", "as in `command = [\"pass\", \"show\", \"shop/db\"]`"))
            }
        }
    }
}

impl Short for SecretKey {
    const EXPECTED: &'static str =
        "the name of a secret, or a table with its `name` and a `command` that prints its value";
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvironmentVisitor;

        impl<'de> Visitor<'de> for EnvironmentVisitor {
            type Value = Environment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a table of `plain` and `secret`, or variables as a table or as a list of `KEY=value`",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Environment, A::Error> {
                Ok(Environment { plain: PlainVisitor.visit_seq(access)?.0, secret: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Environment, A::Error> {
                let mut environment = Environment::default();
                let (mut parts, mut variables) = (Vec::new(), Vec::new());
                while let Some(key) = access.next_key::<Spanned<EnvKey>>()? {
                    match key.get_ref().as_str() {
                        "plain" => {
                            environment.plain = access.next_value::<Plain>()?.0;
                            parts.push(key);
                        }
                        "secret" => {
                            environment.secret = access.next_value()?;
                            parts.push(key);
                        }
                        _ => {
                            let Written(value) = access.next_value()?;
                            variables.push((key, value));
                        }
                    }
                }
                if let ([_, ..], [(key, _), ..]) = (parts.as_slice(), variables.as_slice()) {
                    return Err(wrong(
                        format_args!("`{key}` is next to `plain` and `secret`"),
                        "put the variable into `plain`",
                    ));
                }
                environment.plain.extend(variables);
                Ok(environment)
            }
        }

        deserializer.deserialize_any(EnvironmentVisitor)
    }
}

/// Variables: a table, or a list of `KEY=value`.
struct Plain(Vec<(Spanned<EnvKey>, String)>);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("variables as a table or as a list of `KEY=value`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Plain, A::Error> {
        let mut plain = Vec::new();
        while let Some(assignment) = access.next_element::<Spanned<Assignment>>()? {
            let span = assignment.span();
            let Assignment(key, value) = assignment.into_inner();
            plain.push((Spanned::new(span, key), value));
        }
        Ok(Plain(plain))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Plain, A::Error> {
        let mut plain = Vec::new();
        while let Some((key, Written(value))) = access.next_entry()? {
            plain.push((key, value));
        }
        Ok(Plain(plain))
    }
}

/// `KEY=value`.
struct Assignment(EnvKey, String);

impl<'de> Deserialize<'de> for Assignment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written(text) = Written::deserialize(deserializer)?;
        let Some((key, value)) = text.split_once('=') else {
            return Err(wrong(
                format_args!("`{}` has no `=`", visible(&text)),
                "write `KEY=value`; a variable from outside the config goes into `secret`",
            ));
        };
        let key = EnvKey::parse(key).map_err(|error| wrong(&error, error.hint()))?;
        Ok(Self(key, value.to_owned()))
    }
}
