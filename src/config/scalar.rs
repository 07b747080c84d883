//! Values written in one word: what each may be, and what is said of one that it may not be. Does not know which keys
//! there are.

use super::form::OneOrMany;
use super::form::Written;
use super::form::wrong;
use super::mount::EnvFile;
use super::mount::Mount;
use super::publish::Published;
use super::value::Restart;
use crate::name::Domain;
use crate::name::visible;
use crate::spec::Statuses;
use crate::spec::Tls;
use crate::spec::ValueError;
use ipnet::IpNet;
use ipnet::Ipv4Net;
use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::SeqAccess;
use serde::de::Unexpected;
use serde::de::Visitor;
use serde_spanned::Spanned;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::num::NonZeroU16;
use std::num::TryFromIntError;
use std::time::Duration;

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

parsed_from_text! { Mount EnvFile Published Restart Tls }

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
                deserializer.deserialize_i64(NumberVisitor { expected: $expected, result: PhantomData })
            }
        }
    )* }
}

numbers! {
    /// A port.
    Port(NonZeroU16, u16): "a port, a number from 1 to 65535";
    /// How many containers run an app.
    Replicas(NonZeroU8, u8): "a number of containers, from 1 to 255";
    /// How many checks may fail on end.
    Retries(NonZeroU8, u8): "a number of failed checks, from 1 to 255";
}

/// The statuses of good answers: one or a range of them, or a list of these.
pub(super) struct GoodStatuses(pub(super) Statuses);

impl<'de> Deserialize<'de> for GoodStatuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatusesVisitor;

        fn parsed<E: Error>(texts: &[String]) -> Result<GoodStatuses, E> {
            let statuses = Statuses::parse(texts.iter().map(String::as_str));
            statuses.map(GoodStatuses).map_err(|error| wrong(&error, error.hint()))
        }

        impl<'de> Visitor<'de> for StatusesVisitor {
            type Value = GoodStatuses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status as in `401`, a range as in `200-399`, or a list of these")
            }

            fn visit_i64<E: Error>(self, status: i64) -> Result<GoodStatuses, E> {
                parsed(&[status.to_string()])
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<GoodStatuses, E> {
                parsed(&[text.to_owned()])
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<GoodStatuses, A::Error> {
                let mut texts = Vec::new();
                while let Some(Written(text)) = access.next_element()? {
                    texts.push(text);
                }
                parsed(&texts)
            }
        }

        deserializer.deserialize_any(StatusesVisitor)
    }
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

/// What stands for the private ranges of addresses.
const PRIVATE_RANGES: &str = "private_ranges";

/// A subnet or an address whose proxies are trusted.
struct TrustedProxy(String);

impl<'de> Deserialize<'de> for TrustedProxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written(text) = Written::deserialize(deserializer)?;
        if text == PRIVATE_RANGES || text.parse::<IpAddr>().is_ok() {
            return Ok(Self(text));
        }
        let Ok(subnet) = text.parse::<IpNet>() else {
            return Err(wrong(
                format_args!("`{}` is neither a subnet nor an address", visible(&text)),
                "as in `103.21.244.0/22`, `2400:cb00::/32`, or `private_ranges`",
            ));
        };
        if subnet.prefix_len() == 0 {
            return Err(wrong(
                format_args!("`{subnet}` is everyone, who could then claim to be anyone"),
                "name the addresses of the proxies that stand before this host",
            ));
        }
        if subnet != subnet.trunc() {
            return Err(wrong(
                format_args!("`{subnet}` has bits beyond its length"),
                &format!("the subnet that it lies in is `{}`", subnet.trunc()),
            ));
        }
        Ok(Self(subnet.to_string()))
    }
}

/// Subnets and addresses whose proxies are trusted.
pub(super) fn trusted_proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let OneOrMany(all) = OneOrMany::<TrustedProxy>::deserialize(deserializer)?;
    Ok(all.into_iter().map(|proxy| proxy.into_inner().0).collect())
}
