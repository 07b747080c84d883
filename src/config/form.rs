//! The ways in which a value may be written: in one word or in a table, alone or in a list. Does not know which keys
//! there are.

use super::decode::WRITTEN;
use crate::name::Image;
use crate::name::visible;
use serde::de::Deserialize;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IntoDeserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde::de::value::SeqAccessDeserializer;
use serde::de::value::StrDeserializer;
use serde_spanned::Spanned;
use std::fmt;
use std::marker::PhantomData;

/// An error with its hint, as the decoder takes it.
pub(super) fn wrong<E: Error>(message: impl fmt::Display, hint: &str) -> E {
    E::custom(format_args!("{message}\n{hint}"))
}

/// Linux takes 128 KiB in an argument of a command; a key or a flag may come before the text.
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

/// The words of a command, or a table.
pub(super) enum WordsOr<T> {
    Words(WordsForm),
    Table(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WordsOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FormVisitor<T> {
            type Value = WordsOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, a string, or a table with `command`")
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<WordsOr<T>, E> {
                WordsForm::deserialize(StrDeserializer::new(line)).map(WordsOr::Words)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<WordsOr<T>, A::Error> {
                WordsForm::deserialize(SeqAccessDeserializer::new(access)).map(WordsOr::Words)
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<WordsOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access)).map(WordsOr::Table)
            }
        }

        deserializer.deserialize_any(FormVisitor(PhantomData))
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

/// A value that says alone what a table says together with other keys.
pub(super) trait Short: for<'de> Deserialize<'de> {
    /// What may be written.
    const EXPECTED: &'static str;
}

impl Short for Image {
    const EXPECTED: &'static str = "an image, as in `redis:7-alpine`, or a table with `image`";
}

/// A short value, or a table.
pub(super) enum ShortOr<S, T> {
    Short(Spanned<S>),
    Table(T),
}

/// An image alone, or a table.
pub(super) type ImageOr<T> = ShortOr<Image, T>;

impl<'de, S: Short, T: Deserialize<'de>> Deserialize<'de> for ShortOr<S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Form<S, T> {
            Short(S),
            Table(T),
        }

        impl<'de, S: Short, T: Deserialize<'de>> Deserialize<'de> for Form<S, T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FormVisitor(PhantomData))
            }
        }

        struct FormVisitor<S, T>(PhantomData<(S, T)>);

        impl<'de, S: Short, T: Deserialize<'de>> Visitor<'de> for FormVisitor<S, T> {
            type Value = Form<S, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(S::EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Form<S, T>, E> {
                S::deserialize(text.into_deserializer()).map(Form::Short)
            }

            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Form<S, T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access)).map(Form::Table)
            }
        }

        let form = Spanned::<Form<S, T>>::deserialize(deserializer)?;
        let span = form.span();
        Ok(match form.into_inner() {
            Form::Short(short) => Self::Short(Spanned::new(span, short)),
            Form::Table(table) => Self::Table(table),
        })
    }
}
