//! The ways in which a value may be written: in one word or in a table, alone or in a list. Does not know which keys
//! there are.

use super::decode::WRITTEN;
use super::mount::EnvFile;
use super::mount::Mount;
use super::publish::Published;
use super::value::Cpus;
use super::value::Memory;
use super::value::Restart;
use super::value::User;
use super::value::ValueError;
use crate::name::Domain;
use crate::name::Image;
use crate::name::visible;
use ipnet::Ipv4Net;
use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde::de::value::StrDeserializer;
use serde_spanned::Spanned;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU8;
use std::num::NonZeroU16;
use std::num::TryFromIntError;
use std::time::Duration;

/// An error with its hint, as the decoder takes it.
pub(super) fn wrong<E: Error>(message: impl fmt::Display, hint: &str) -> E {
    E::custom(format_args!("{message}\n{hint}"))
}

/// Linux takes 128 KiB in an argument of a command; a key or a flag may stand before the text.
const LONGEST: usize = 120 * 1024;

/// A string; or a number or a boolean, as the text that it was written as.
pub(super) struct Written(pub(super) String);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WrittenVisitor;

        impl Visitor<'_> for WrittenVisitor {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a number")
            }

            fn visit_unit<E: Error>(self) -> Result<Written, E> {
                Err(wrong("there is no value", "write `\"\"` for an empty one"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                if text.contains('\0') {
                    return Err(wrong("the text holds a NUL byte", "no argument of a command can hold one"));
                }
                if text.len() > LONGEST {
                    return Err(wrong(
                        "the text is longer than 120 KiB",
                        "no argument of a command can hold it: mount it as a file",
                    ));
                }
                Ok(Written(text.to_owned()))
            }
        }

        deserializer.deserialize_newtype_struct(WRITTEN, WrittenVisitor)
    }
}

macro_rules! parsed_from_text {
    ($($name:ident)*) => { $(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Written(text) = Written::deserialize(deserializer)?;
                Self::parse(&text).map_err(|error: ValueError| wrong(&error, error.hint()))
            }
        }
    )* }
}

parsed_from_text! { Mount EnvFile Published Restart User Memory Cpus }

/// The words of a command: a list, or a string that is split as a shell splits words.
pub(super) enum WordsForm {
    /// No word at all; a list whose items are all wrong is not empty.
    Empty,
    List(Vec<String>),
    Line(Vec<String>),
}

impl<'de> Deserialize<'de> for WordsForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;

        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = WordsForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, or a string")
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<WordsForm, E> {
                let Written(line) = Written::deserialize(StrDeserializer::new(line))?;
                match shlex::split(&line) {
                    Some(words) if words.is_empty() => Ok(WordsForm::Empty),
                    Some(words) => Ok(WordsForm::Line(words)),
                    None => Err(wrong(
                        format_args!("`{}` has a quote that is not closed", visible(&line)),
                        "close it, or write a list of words",
                    )),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<WordsForm, A::Error> {
                let is_empty = access.size_hint() == Some(0);
                let mut words = Vec::new();
                while let Some(Written(word)) = access.next_element()? {
                    words.push(word);
                }
                Ok(if is_empty { WordsForm::Empty } else { WordsForm::List(words) })
            }
        }

        deserializer.deserialize_any(WordsVisitor)
    }
}

/// A list that knows whether it is empty, or only has no item that is right.
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) is_empty: bool,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<List<T>, A::Error> {
                let is_empty = access.size_hint() == Some(0);
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(List { items, is_empty })
            }
        }

        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// One value, or a list of them.
pub(super) struct OneOrMany<T>(pub(super) Vec<Spanned<T>>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form<T> {
            One(T),
            Many(Vec<Spanned<T>>),
        }

        impl<'de, T: Deserialize<'de>> Deserialize<'de> for Form<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FormVisitor(PhantomData))
            }
        }

        struct FormVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
            type Value = Form<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Form<T>, E> {
                T::deserialize(text.into_deserializer()).map(Form::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Form<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = access.next_element()? {
                    many.push(one);
                }
                Ok(Form::Many(many))
            }
        }

        let form = Spanned::<Form<T>>::deserialize(deserializer)?;
        let span = form.span();
        Ok(Self(match form.into_inner() {
            Form::One(one) => vec![Spanned::new(span, one)],
            Form::Many(many) => many,
        }))
    }
}

/// An image alone, or a table.
pub(super) enum ImageOr<T> {
    Image(Spanned<Image>),
    Table(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ImageOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form<T> {
            Image(Image),
            Table(T),
        }

        impl<'de, T: Deserialize<'de>> Deserialize<'de> for Form<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FormVisitor(PhantomData))
            }
        }

        struct FormVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
            type Value = Form<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an image, as in `redis:7-alpine`, or a table with `image`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Form<T>, E> {
                Image::deserialize(text.into_deserializer()).map(Form::Image)
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Form<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access)).map(Form::Table)
            }
        }

        let form = Spanned::<Form<T>>::deserialize(deserializer)?;
        let span = form.span();
        Ok(match form.into_inner() {
            Form::Image(image) => Self::Image(Spanned::new(span, image)),
            Form::Table(table) => Self::Table(table),
        })
    }
}

/// A number above 0.
struct NumberVisitor<T> {
    expected: &'static str,
    result: PhantomData<T>,
}

impl<T: TryFrom<u64>> Visitor<'_> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        u64::try_from(number)
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// A port with its place.
pub(super) fn spanned_port<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Spanned<NonZeroU16>, D::Error> {
    let port = Spanned::<Port>::deserialize(deserializer)?;
    Ok(Spanned::new(port.span(), port.into_inner().0))
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($number:ty, $small:ty): $expected:literal;)*) => { $(
        $(#[$doc])*
        pub(super) struct $name(pub(super) $number);

        impl TryFrom<u64> for $name {
            type Error = TryFromIntError;

            fn try_from(number: u64) -> Result<Self, Self::Error> {
                <$number>::try_from(<$small>::try_from(number)?).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NumberVisitor { expected: $expected, result: PhantomData })
            }
        }
    )* }
}

numbers! {
    /// A port.
    Port(NonZeroU16, u16): "a port, a number from 1 to 65535";
    /// How many containers run an app.
    Replicas(NonZeroU8, u8): "a number of containers, from 1 to 255";
}

/// A time that passes; a millisecond at least, as docker counts it.
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = duration(deserializer)?;
        if time.is_zero() {
            return Err(wrong("the time is 0", "write a longer one, as in `5s`"));
        }
        if time < Duration::from_millis(1) {
            return Err(wrong("the time is less than a millisecond", "write a longer one, as in `500ms`"));
        }
        Ok(Self(time))
    }
}

/// A time that passes.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let hint = "a number and its unit, as in `500ms`, `30s` or `1m30s`";
    let Written(text) = Written::deserialize(deserializer)?;
    match humantime::parse_duration(&text) {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err(wrong(format_args!("`{text}` is longer than a day"), hint)),
        Err(_) => Err(wrong(format_args!("`{}` is not a duration", visible(&text)), hint)),
    }
}

/// A time above 0.
pub(super) fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Time::deserialize(deserializer).map(|time| time.0)
}

/// A time in whole seconds.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let time = duration(deserializer)?;
    if time.subsec_nanos() > 0 {
        return Err(wrong("the time is not in whole seconds", "docker counts seconds here, as in `30s`"));
    }
    Ok(time)
}

/// The path of a folder: absolute, or relative to the config's folder.
pub(super) fn folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<String>, D::Error> {
    let path = Spanned::<String>::deserialize(deserializer)?;
    let shown = visible(path.get_ref());
    if path.get_ref().starts_with('~') {
        return Err(wrong(format_args!("`{shown}`: `~` is known to shells alone"), "write the whole path"));
    }
    if path.get_ref().chars().any(char::is_control) {
        return Err(wrong(format_args!("`{shown}` is not the path of a folder"), "as in `env`"));
    }
    Ok(path)
}

/// What services also answer under: a domain, with a dot before it or without; nothing when it is empty.
pub(super) fn dns_suffix<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Spanned<Domain>>, D::Error> {
    let text = Spanned::<String>::deserialize(deserializer)?;
    match text.get_ref().strip_prefix('.').unwrap_or(text.get_ref()) {
        "" => Ok(None),
        suffix => match Domain::parse(suffix) {
            Ok(suffix) => Ok(Some(Spanned::new(text.span(), suffix))),
            Err(error) => Err(wrong(
                format_args!("`{}` is not a DNS suffix", visible(text.get_ref())),
                &format!("as in `.internal`, or `\"\"` for none; {}", error.hint()),
            )),
        },
    }
}

/// A subnet that networks can take their own subnets from.
pub(super) fn address_pool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<Ipv4Net>, D::Error> {
    let text = Spanned::<String>::deserialize(deserializer)?;
    let Ok(pool) = text.get_ref().parse::<Ipv4Net>() else {
        return Err(wrong(
            format_args!("`{}` is not an IPv4 subnet", visible(text.get_ref())),
            "as in `10.208.0.0/12`",
        ));
    };
    if pool != pool.trunc() {
        return Err(wrong(
            format_args!("`{pool}` has bits beyond its length"),
            &format!("the subnet that it lies in is `{}`", pool.trunc()),
        ));
    }
    if pool.prefix_len() > 24 {
        return Err(wrong(
            format_args!("`{pool}` is too small: each network takes a /24"),
            "a /16 has room for 256 networks, a /12 for 4096",
        ));
    }
    let first = pool.network();
    let is_too_large = pool.prefix_len() < 8;
    if is_too_large
        || first.is_loopback()
        || first.is_link_local()
        || first.octets()[0] == 0
        || first.octets()[0] >= 224
    {
        return Err(wrong(
            format_args!("`{pool}` holds addresses that containers cannot have"),
            "take it from a private range: `10.0.0.0/8`, `172.16.0.0/12` or `192.168.0.0/16`",
        ));
    }
    Ok(Spanned::new(text.span(), pool))
}
