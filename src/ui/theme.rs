//! Colours by meaning. A theme never carries state by itself: whatever it colours has a glyph or a
//! word too, so `mono` loses nothing.

use ratatui::style::{Color, Modifier, Style};

/// The styles of a screen, by what they mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name in a config.
    pub name: &'static str,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// The ground everything stands on.
    pub(super) base: Style,
    pub(super) dim: Style,
    pub(super) strong: Style,
    pub(super) rule: Style,
    pub(super) focus: Style,
    pub(super) accent: Style,
    pub(super) good: Style,
    pub(super) warn: Style,
    pub(super) bad: Style,
    pub(super) stale: Style,
    pub(super) selected: Style,
    pub(super) badge_go: Style,
    pub(super) badge_no_go: Style,
    pub(super) badge_unknown: Style,
    /// Something real is at stake.
    pub(super) badge_live: Style,
    /// Nothing real is at stake.
    pub(super) badge_play: Style,
    /// Lines of a chart, one series after the other.
    pub(super) series: [Style; 6],
    /// What the terminal's own colours become in an SVG: text, ground.
    pub(super) paper: (Color, Color),
}

const NAMES: [&str; 5] = ["dark", "light", "high-contrast", "colour-blind", "mono"];

impl Theme {
    /// The names a config may give.
    pub const NAMES: [&'static str; 5] = NAMES;

    /// The theme of that name; `color-blind` is read as well.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "dark" => Some(Self::dark()),
            "light" => Some(Self::light()),
            "high-contrast" => Some(Self::high_contrast()),
            "colour-blind" | "color-blind" => Some(Self::colour_blind()),
            "mono" => Some(Self::mono()),
            _ => None,
        }
    }

    /// The same theme, drawn with ASCII only (or not).
    #[must_use]
    pub fn with_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    /// For dark terminals; the default.
    pub fn dark() -> Self {
        Self {
            name: "dark",
            ascii: false,
            base: Style::new(),
            dim: ink(245),
            strong: Style::new().add_modifier(Modifier::BOLD),
            rule: ink(239),
            focus: ink(75).add_modifier(Modifier::BOLD),
            accent: ink(74),
            good: ink(108),
            warn: ink(179),
            bad: ink(203),
            stale: ink(242).add_modifier(Modifier::ITALIC),
            selected: Style::new().bg(Color::Indexed(236)),
            badge_go: badge(16, 108),
            badge_no_go: badge(231, 160),
            badge_unknown: badge(16, 179),
            badge_live: badge(16, 254),
            badge_play: badge(16, 176),
            series: [74, 179, 139, 108, 209, 250].map(ink),
            paper: (Color::Rgb(208, 211, 216), Color::Rgb(22, 24, 28)),
        }
    }

    /// For light terminals.
    pub fn light() -> Self {
        Self {
            name: "light",
            ascii: false,
            base: Style::new(),
            dim: ink(241),
            strong: Style::new().add_modifier(Modifier::BOLD),
            rule: ink(250),
            focus: ink(25).add_modifier(Modifier::BOLD),
            accent: ink(25),
            good: ink(28),
            warn: ink(130),
            bad: ink(160),
            stale: ink(244).add_modifier(Modifier::ITALIC),
            selected: Style::new().bg(Color::Indexed(254)),
            badge_go: badge(231, 28),
            badge_no_go: badge(231, 160),
            badge_unknown: badge(16, 220),
            badge_live: badge(231, 235),
            badge_play: badge(231, 127),
            series: [25, 130, 91, 28, 166, 240].map(ink),
            paper: (Color::Rgb(36, 41, 47), Color::Rgb(255, 255, 255)),
        }
    }

    /// Black, white and the strongest colours; nothing is faint.
    pub fn high_contrast() -> Self {
        Self {
            name: "high-contrast",
            ascii: false,
            base: Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
            dim: ink(252),
            strong: ink(231).add_modifier(Modifier::BOLD),
            rule: ink(248),
            focus: ink(51).add_modifier(Modifier::BOLD),
            accent: ink(51),
            good: ink(46),
            warn: ink(226),
            bad: ink(210).add_modifier(Modifier::BOLD),
            stale: ink(250).add_modifier(Modifier::ITALIC),
            selected: Style::new().add_modifier(Modifier::REVERSED),
            badge_go: badge(16, 46),
            badge_no_go: badge(231, 124),
            badge_unknown: badge(16, 226),
            badge_live: badge(16, 231),
            badge_play: badge(16, 213),
            series: [51, 226, 213, 46, 208, 231].map(ink),
            paper: (Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0)),
        }
    }

    /// Blue for good and vermilion for bad, after Okabe and Ito: told apart by every kind of
    /// colour vision.
    pub fn colour_blind() -> Self {
        Self {
            name: "colour-blind",
            good: ink(75),
            accent: ink(117),
            focus: ink(117).add_modifier(Modifier::BOLD),
            warn: ink(221),
            bad: ink(202).add_modifier(Modifier::BOLD),
            badge_go: badge(16, 75),
            badge_no_go: badge(16, 202),
            badge_unknown: badge(16, 221),
            badge_play: badge(16, 175),
            series: [75, 221, 175, 36, 202, 250].map(ink),
            ..Self::dark()
        }
    }

    /// No colour at all, for `NO_COLOR`: weight, slant and reversal only.
    pub fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let faint = plain.add_modifier(Modifier::DIM);
        let reversed = bold.add_modifier(Modifier::REVERSED);
        Self {
            name: "mono",
            ascii: false,
            base: plain,
            dim: faint,
            strong: bold,
            rule: faint,
            focus: bold,
            accent: plain,
            good: plain,
            warn: bold,
            bad: bold.add_modifier(Modifier::UNDERLINED),
            stale: faint.add_modifier(Modifier::ITALIC),
            selected: plain.add_modifier(Modifier::REVERSED),
            badge_go: reversed,
            badge_no_go: reversed,
            badge_unknown: reversed,
            badge_live: reversed,
            badge_play: reversed,
            series: [plain; 6],
            paper: (Color::Rgb(208, 211, 216), Color::Rgb(22, 24, 28)),
        }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::dark()
    }
}

fn ink(index: u8) -> Style {
    Style::new().fg(Color::Indexed(index))
}

fn badge(text: u8, ground: u8) -> Style {
    ink(text).bg(Color::Indexed(ground)).add_modifier(Modifier::BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_a_config_is_a_theme_and_carries_that_name() {
        for name in Theme::NAMES {
            assert_eq!(Theme::named(name).unwrap().name, name);
        }
        assert_eq!(Theme::named("solarised"), None);
    }
}
