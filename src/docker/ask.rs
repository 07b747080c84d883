//! The questions that tell what is on a host: two rounds of a few docker calls each. Does not know who puts them, nor how
//! an answer is read.

use super::Command;
use crate::name::Container;
use crate::name::Image;
use crate::name::Network;
use std::collections::BTreeSet;

/// What the caller cares about by name; all else is found by looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Networks whose name must mean one network, as those that gordon made do anyway, and on which it matters who answers to
    /// which name.
    pub networks: BTreeSet<Network>,
    /// Images of which it is asked whether they are there, and what they declare.
    pub images: BTreeSet<Image>,
    /// The proxy's image, one of `images`, when there is to be a proxy.
    pub proxy: Option<Image>,
    /// Whether it matters how many processors the host has.
    pub processors: bool,
    /// Ports of the host that containers may publish.
    pub ports: BTreeSet<u16>,
}

/// The first round, put side by side: what there is. A `T` is a question, or its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First<T> {
    /// Every container, in few words.
    pub containers: T,
    /// The id of every network.
    pub networks: T,
    /// Every volume.
    pub volumes: T,
    /// The images of the scope. Those that are missing make their call fail.
    pub images: Vec<T>,
    /// How many processors the host has, where it matters.
    pub processors: Option<T>,
}

/// The second round, put side by side: what the first did not tell. A `T` is a question, or its answer.
///
/// What was removed since the first round makes its call fail; the answer then lacks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Second<T> {
    /// The containers that carry gordon's labels, and those on networks of the scope.
    pub containers: Vec<T>,
    /// The images of those whose labels may come from there, as far as the first round did not tell of them.
    pub images: Vec<T>,
    /// Every network.
    pub networks: Vec<T>,
    /// Every reference to an image, when one of the scope is missing.
    pub references: Option<T>,
    /// The proxy's routes files, when there are any.
    pub routes_files: Option<T>,
}

/// `{{json .Labels}}` of a list cannot be read back: it does not say where a label ends.
const CONTAINER: &str = r#"[{{json .ID}},{{json .Names}},{{json (or (.Label "gordon.part") (.Label "gordon.managed"))}},{{json .State}},{{json .Networks}},{{json .Image}}]"#;
const VOLUME: &str = r#"[{{json .Name}},{{json (or (.Label "gordon.part") (.Label "gordon.managed"))}},{{json (.Label "gordon.project")}},{{json (.Label "gordon.maker")}},{{json (.Label "gordon.name")}}]"#;
const IMAGE: &str = "[{{json .Id}},{{json .RepoTags}},{{json .RepoDigests}},{{json .Config}}]";
const REFERENCE: &str = "[{{json .Repository}},{{json .Tag}}]";

/// How many things one call asks for: with names of 255 characters half of the 2 MiB that Linux lets a command line have.
const MOST: usize = 4096;

impl First<Command> {
    /// The questions of the first round.
    pub fn of(scope: &Scope) -> Self {
        Self {
            containers: Command::new(["ps", "--all", "--no-trunc", "--format", CONTAINER]),
            networks: Command::new(["network", "ls", "--no-trunc", "--quiet"]),
            volumes: Command::new(["volume", "ls", "--format", VOLUME]),
            images: inspect("image", IMAGE, scope.images.iter().map(Image::as_str)),
            processors: scope.processors.then(|| Command::new(["info", "--format", "{{.NCPU}}"])),
        }
    }
}

impl Second<Command> {
    /// The questions of the second round: after containers and networks by id, after images, after references when asked to.
    pub(super) fn of(
        containers: &[&str],
        images: &BTreeSet<&str>,
        networks: &[&str],
        references: bool,
    ) -> Self {
        Self {
            containers: inspect("container", "{{json .}}", containers.iter().copied()),
            images: inspect("image", IMAGE, images.iter().copied()),
            networks: inspect("network", "{{json .}}", networks.iter().copied()),
            routes_files: None,
            references: references.then(|| Command::new(["image", "ls", "--format", REFERENCE])),
        }
    }
}

/// The question for the log driver of containers that have none of their own. It is put only when such a container is made.
pub fn log_driver() -> Command {
    Command::new(["info", "--format", "{{.LoggingDriver}}"])
}

/// The question for what containers mount. It is put only when a plan makes volumes, or mounts external ones.
pub fn mounts<'a>(containers: impl IntoIterator<Item = &'a Container>) -> Vec<Command> {
    inspect("container", "{{json .}}", containers.into_iter().map(Container::as_str))
}

/// As few calls as there may be for all of `things`; none for none, since docker would call that a mistake.
fn inspect<'a>(kind: &str, format: &str, things: impl IntoIterator<Item = &'a str>) -> Vec<Command> {
    let things: Vec<&str> = things.into_iter().collect();
    let of = |things: &[&str]| {
        let mut command = Command::new([kind, "inspect", "--format", format]);
        command.extend(things.iter().copied());
        command
    };
    things.chunks(MOST).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn lines(questions: impl IntoIterator<Item = Command>) -> Vec<String> {
        questions.into_iter().map(|command| command.argv(Path::new("/")).join(" ")).collect()
    }

    #[test]
    fn an_empty_host_is_asked_nothing_twice() {
        let first = First::of(&Scope::default());
        assert_eq!(first.images, []);
        let second = Second::of(&[], &BTreeSet::new(), &[], false);
        assert_eq!(second, Second::default());
    }

    #[test]
    fn one_call_asks_for_all_things_of_a_kind() {
        let images = ["redis:7", "postgres"].map(|text| Image::parse(text).expect("an image"));
        let first = First::of(&Scope { images: images.into(), ..Scope::default() });
        let second = Second::of(&["c1", "c2"], &["i1", "i2"].into(), &["n1"], true);
        assert_eq!(
            lines(
                [first.images, second.containers, second.images, second.networks]
                    .concat()
                    .into_iter()
                    .chain(second.references)
            ),
            [
                format!("image inspect --format {IMAGE} postgres redis:7"),
                "container inspect --format {{json .}} c1 c2".to_owned(),
                format!("image inspect --format {IMAGE} i1 i2"),
                "network inspect --format {{json .}} n1".to_owned(),
                format!("image ls --format {REFERENCE}"),
            ]
        );
    }

    #[test]
    fn no_call_asks_for_more_than_a_command_line_holds() {
        let ids: Vec<String> = (0..10_000).map(|id| format!("{id:064}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let asked = lines(Second::of(&ids, &BTreeSet::new(), &[], false).containers);
        assert!(asked.iter().all(|line| line.len() < 1 << 20));
        let asked_for: Vec<&str> = asked.iter().flat_map(|line| line.split(' ').skip(5)).collect();
        assert!(asked_for == ids, "{} of {}", asked_for.len(), ids.len());
    }
}
