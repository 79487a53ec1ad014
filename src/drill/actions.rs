//! What an item's tags say that the simulated product does when the item is done.

use crate::model::scenario::Action;

/// How the tags begin that the simulator reads: `sim:flag=0`, `sim:stop-producers`.
pub const TAG: &str = "sim:";

/// The actions of an item's tags, in their order. Tags of others are left alone, and so are those that
/// [`wrong_tags`] tells.
pub fn action_of(tags: &[String]) -> Vec<Action> {
    tags.iter().filter_map(|tag| Action::parse(tag.strip_prefix(TAG)?)).collect()
}

/// Tags that begin as those of the simulator do and are no action: each would leave a drill without the
/// effect that its item promises.
pub fn wrong_tags(tags: &[String]) -> Vec<&str> {
    let wrong =
        tags.iter().filter(|tag| tag.strip_prefix(TAG).is_some_and(|word| Action::parse(word).is_none()));
    wrong.map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_actions_in_their_order_and_a_slip_is_told() {
        let tags = ["rollback", "sim:flag=0", "sim:stop-producer", "sim:restart-workers", "sim:flag=200"]
            .map(String::from);
        assert_eq!(action_of(&tags), [Action::SetFlag { percent: 0.0 }, Action::RestartWorkers]);
        assert_eq!(wrong_tags(&tags), ["sim:stop-producer", "sim:flag=200"]);
    }
}
