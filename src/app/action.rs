//! The one table of actions. Key handling, the hints line, the help screen and the documentation are read from it;
//! a new action is one entry here and one arm in `update.rs`.

/// Something the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "ACTIONS documents each one for the user; saying it twice invites disagreement")]
pub enum Action {
    Down,
    Up,
    Left,
    Right,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Enter,
    Back,
    Detail,
    DetailDown,
    DetailUp,
    Sidebar,
    NextAlert,
    PreviousAlert,
    Earlier,
    StopLoading,
    History,
    Beside,
    Acknowledge,
    Mute,
    Mutes,
    Rules,
    Flows,
    Sessions,
    Alerts,
    NextTab,
    PreviousTab,
    Filter,
    ToggleFilter,
    OnlyThis,
    Exclude,
    Group,
    Sort,
    Reverse,
    Freeze,
    MarkRow,
    Note,
    Marks,
    Export,
    Palette,
    Source,
    Unparsed,
    Endpoint,
    Interface,
    Timeline,
    ChangeTime,
    Mark,
    ZoomIn,
    ZoomOut,
    AllTime,
    Measure,
    Clock,
    Follow,
    Copy,
    CopyAs,
    Pivot,
    Explain,
    Filters,
    Save,
    /// The function key comes from the key that was pressed; the table has none.
    Saved(u8),
    Help,
    Redraw,
    Suspend,
    Quit,
    Accept,
    Cancel,
    Older,
    Newer,
    Complete,
    CaretLeft,
    CaretRight,
    CaretStart,
    CaretEnd,
    DeleteBack,
    DeleteForward,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    /// Types a character. Not in the table: every key that is not bound does this where there is text to edit.
    Insert(char),
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Tables, sidebar and detail pane.
    Main,
    /// A line of text: the filter bar and the group prompt.
    Prompt,
    /// The help screen, where typing searches.
    Help,
    /// The pane about the source and what did not parse.
    Report,
    /// The strip of time, where a range is chosen.
    Timeline,
    /// A list to choose from, where typing searches.
    Menu,
}

impl Context {
    /// What help calls it.
    pub fn title(self) -> &'static str {
        match self {
            Context::Main => "Tables",
            Context::Prompt => "While typing a filter, columns, a time, a note or a path",
            Context::Help => "In this help",
            Context::Report => "In the pane about the source",
            Context::Timeline => "On the timeline",
            Context::Menu => "In a list",
        }
    }
}

/// One row of the table of actions.
#[derive(Clone, Copy, Debug)]
pub struct ActionDef {
    /// What it does.
    pub action: Action,
    /// Where its keys work.
    pub context: Context,
    /// Its keys, in the spelling of [`super::Key::named`]. The first is the one that hints show.
    pub keys: &'static [&'static str],
    /// A word for the hints line; empty to leave it out. The order of the table is the order of the hints.
    pub hint: &'static str,
    /// What it does, for help.
    pub help: &'static str,
}

const fn def(
    action: Action,
    context: Context,
    keys: &'static [&'static str],
    hint: &'static str,
    help: &'static str,
) -> ActionDef {
    ActionDef { action, context, keys, hint, help }
}

use Action as A;
use Context::{Help, Main, Menu, Prompt, Report, Timeline};

/// The keys of saved filters.
const SAVED: &[&str] = &["f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"];

/// Every action that has a key, in the order of help.
#[rustfmt::skip]
pub const ACTIONS: &[ActionDef] = &[
    def(A::Help, Main, &["?"], "help", "Show or leave this help"),
    def(A::Quit, Main, &["q", "ctrl-c"], "quit", "Quit"),
    def(A::Filter, Main, &["/"], "filter", "Filter flows and sessions"),
    def(A::Enter, Main, &["enter"], "open", "Open: detail, then a flow's session, a session's records, an alert's evidence, a group's rows"),
    def(A::Back, Main, &["esc", "backspace"], "back", "Go back: filter, sort, cursor, freeze and table as they were"),
    def(A::NextTab, Main, &["tab"], "table", "Next table"),
    def(A::PreviousTab, Main, &["backtab"], "", "Previous table"),
    def(A::Flows, Main, &["1"], "", "Flow records"),
    def(A::Sessions, Main, &["2"], "", "Sessions: both directions of a conversation paired"),
    def(A::Alerts, Main, &["3"], "", "Alerts"),
    def(A::Sidebar, Main, &["a"], "alerts", "Move to the alert list and back"),
    def(A::NextAlert, Main, &["]", "}"], "", "Next alert that is not acknowledged"),
    def(A::PreviousAlert, Main, &["{"], "", "The one before"),
    def(A::Acknowledge, Main, &["A"], "", "Acknowledge the chosen alert; again takes it back"),
    def(A::Mute, Main, &["z"], "", "Mute what the chosen alert is about: its group or its rule, for an hour, a day or for good"),
    def(A::Mutes, Main, &["Z"], "", "What is muted: show it, hear it again"),
    def(A::Rules, Main, &["R"], "", "Rules: try those of your files, or ones that are off, over what is held"),
    def(A::Detail, Main, &["d"], "detail", "Show or hide the detail of the row"),
    def(A::Freeze, Main, &["space"], "freeze", "Freeze the view; new records are counted and not shown"),
    def(A::Follow, Main, &["F"], "follow", "Follow the newest row"),
    def(A::Sort, Main, &["s"], "sort", "Sort by the chosen column; again reverses"),
    def(A::Reverse, Main, &["S"], "", "Reverse the order"),
    def(A::Group, Main, &["b"], "group", "Group by one to three columns"),
    def(A::OnlyThis, Main, &["+"], "only", "Only rows with the value of the chosen column"),
    def(A::Exclude, Main, &["-"], "exclude", "No rows with the value of the chosen column"),
    def(A::Endpoint, Main, &["e"], "endpoint", "All about the address of the chosen column (else the row's initiator or source): peers, ports, sessions, alerts"),
    def(A::Interface, Main, &["I"], "", "All about the row's interface: talkers, ports, accepted and rejected, in and out over time"),
    def(A::Timeline, Main, &["t"], "time", "Go to the timeline: choose a time range, zoom, what the bars show and by which clock"),
    def(A::ChangeTime, Main, &["T"], "change", "Mark the time of a change (\"10:32 isolated\"): sessions are told apart as before, surviving and new"),
    def(A::Earlier, Main, &["["], "earlier", "Load an hour of earlier time, newest first; again loads one more"),
    def(A::History, Main, &["H"], "history", "Search any range with this filter by CloudWatch Logs Insights: what it costs is said before"),
    def(A::Beside, Main, &["4"], "", "From the live tab to the search and back"),
    def(A::StopLoading, Main, &["X"], "", "Stop what is being loaded or searched; what came stays"),
    def(A::Pivot, Main, &["p"], "pivot", "From the chosen cell: only, not, its network, peer, interface, sessions, the other direction"),
    def(A::Explain, Main, &["E"], "", "The parts of the filter, each with what it lets through"),
    def(A::Filters, Main, &["f"], "", "Filters that were applied or saved"),
    def(A::Saved(0), Main, SAVED, "", "Apply a saved filter"),
    def(A::MarkRow, Main, &["m"], "mark", "Mark the row, or take the mark away; what it says is kept when the row goes"),
    def(A::Note, Main, &["n"], "", "Write a note on the row"),
    def(A::Marks, Main, &["M"], "", "The rows that were marked, with their notes"),
    def(A::Export, Main, &["x"], "export", "Export: a case file, or rows as CSV, NDJSON or original log lines; while one is written, stop it"),
    def(A::Palette, Main, &[":"], "", "Find what can be done by its words: actions, saved filters, themes"),
    def(A::Source, Main, &["i"], "source", "About the source: formats and how each is known, lines, memory, gaps"),
    def(A::Unparsed, Main, &["!"], "", "Lines that did not parse, with the reason"),
    def(A::ToggleFilter, Main, &["~"], "", "Turn the filter off and on, keeping the place"),
    def(A::Down, Main, &["j", "down"], "", "Down"),
    def(A::Up, Main, &["k", "up"], "", "Up; at the newest row, follow"),
    def(A::Left, Main, &["<", "h", "left"], "", "Choose the column to the left"),
    def(A::Right, Main, &[">", "l", "right"], "", "Choose the column to the right"),
    def(A::PageDown, Main, &["pgdn", "ctrl-f"], "", "A page down"),
    def(A::PageUp, Main, &["pgup", "ctrl-b"], "", "A page up"),
    def(A::HalfDown, Main, &["ctrl-d"], "", "Half a page down"),
    def(A::HalfUp, Main, &["ctrl-u"], "", "Half a page up"),
    def(A::Top, Main, &["g", "home"], "", "First row"),
    def(A::Bottom, Main, &["G", "end"], "", "Last row"),
    def(A::DetailDown, Main, &["J"], "", "Scroll the detail down"),
    def(A::DetailUp, Main, &["K"], "", "Scroll the detail up"),
    def(A::Copy, Main, &["y"], "", "Copy the value of the chosen column, over OSC 52"),
    def(A::CopyAs, Main, &["Y"], "", "Copy the filter for Insights, aws logs, Athena, tcpdump or Wireshark"),
    def(A::Redraw, Main, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Main, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),

    def(A::Accept, Prompt, &["enter"], "apply", "Apply; an empty text clears"),
    def(A::Cancel, Prompt, &["esc", "ctrl-c"], "cancel", "Leave everything as it was"),
    def(A::Older, Prompt, &["up", "ctrl-p"], "history", "Older entry of the history"),
    def(A::Newer, Prompt, &["down", "ctrl-n"], "", "Newer entry of the history"),
    def(A::Complete, Prompt, &["tab"], "complete", "Complete the word with the first of what is offered"),
    def(A::Filters, Prompt, &["ctrl-r"], "search", "Search the filters that were applied or saved"),
    def(A::Save, Prompt, &["ctrl-s"], "save", "Save the filter on a function key"),
    def(A::Saved(0), Prompt, SAVED, "", "Take a saved filter"),
    def(A::CaretLeft, Prompt, &["left", "ctrl-b"], "", "One character left"),
    def(A::CaretRight, Prompt, &["right", "ctrl-f"], "", "One character right"),
    def(A::CaretStart, Prompt, &["home", "ctrl-a"], "", "To the start"),
    def(A::CaretEnd, Prompt, &["end", "ctrl-e"], "", "To the end"),
    def(A::DeleteBack, Prompt, &["backspace", "ctrl-h"], "", "Delete the character to the left"),
    def(A::DeleteForward, Prompt, &["delete", "ctrl-d"], "", "Delete the character under the caret"),
    def(A::DeleteWord, Prompt, &["ctrl-w"], "delete word", "Delete the word to the left"),
    def(A::DeleteToStart, Prompt, &["ctrl-u"], "delete all", "Delete to the start"),
    def(A::DeleteToEnd, Prompt, &["ctrl-k"], "", "Delete to the end"),
    def(A::Redraw, Prompt, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Prompt, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),

    def(A::Down, Help, &["down", "ctrl-n"], "scroll", "Scroll down"),
    def(A::Up, Help, &["up", "ctrl-p"], "", "Scroll up"),
    def(A::PageDown, Help, &["pgdn", "ctrl-f", "ctrl-d"], "", "A page down"),
    def(A::PageUp, Help, &["pgup", "ctrl-b", "ctrl-u"], "", "A page up"),
    def(A::DeleteBack, Help, &["backspace", "ctrl-h"], "", "Delete a character of the search"),
    def(A::Cancel, Help, &["esc", "enter", "?", "ctrl-c"], "close", "Leave help"),
    def(A::Redraw, Help, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Help, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),

    def(A::Down, Report, &["j", "down"], "scroll", "Scroll down"),
    def(A::Up, Report, &["k", "up"], "", "Scroll up"),
    def(A::PageDown, Report, &["pgdn", "ctrl-f", "ctrl-d"], "", "A page down"),
    def(A::PageUp, Report, &["pgup", "ctrl-b", "ctrl-u"], "", "A page up"),
    def(A::Top, Report, &["g", "home"], "", "To the start"),
    def(A::Bottom, Report, &["G", "end"], "", "To the end"),
    def(A::NextTab, Report, &["tab", "backtab"], "source or unparsed", "From the source to the lines that did not parse, and back"),
    def(A::Cancel, Report, &["esc", "q", "i", "!", "enter", "ctrl-c"], "close", "Leave the pane"),
    def(A::Redraw, Report, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Report, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),

    def(A::Right, Timeline, &["right", "l"], "", "A bar later"),
    def(A::Left, Timeline, &["left", "h"], "", "A bar earlier"),
    def(A::PageDown, Timeline, &["pgdn", "L"], "", "Ten bars later"),
    def(A::PageUp, Timeline, &["pgup", "H"], "", "Ten bars earlier"),
    def(A::Top, Timeline, &["home", "g"], "", "First bar"),
    def(A::Bottom, Timeline, &["end", "G"], "", "Last bar"),
    def(A::Mark, Timeline, &["space", "v"], "begin range", "Begin a range here; again takes it back"),
    def(A::Accept, Timeline, &["enter"], "show only it", "Show only rows of the range, or of this bar; Esc in the table goes back"),
    def(A::ZoomIn, Timeline, &["z", "+"], "zoom", "Zoom in: on the range, else on half of what is shown"),
    def(A::ZoomOut, Timeline, &["Z", "-"], "out", "Zoom out"),
    def(A::AllTime, Timeline, &["0"], "all time", "All time: no range, no zoom"),
    def(A::Measure, Timeline, &["m"], "bars", "Bars: records accepted and rejected, bytes in and out, records in and out"),
    def(A::Clock, Timeline, &["c"], "clock", "Event time, or the time of ingestion"),
    def(A::ChangeTime, Timeline, &["T"], "change", "Mark the time of a change here"),
    def(A::Cancel, Timeline, &["esc", "q", "t", "ctrl-c"], "close", "Back to the table"),
    def(A::Redraw, Timeline, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Timeline, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),
    def(A::Accept, Menu, &["enter"], "take", "Take the chosen line"),
    def(A::Cancel, Menu, &["esc", "ctrl-c"], "close", "Leave the list"),
    def(A::Down, Menu, &["down", "ctrl-n", "tab", "ctrl-r"], "next", "Down"),
    def(A::Up, Menu, &["up", "ctrl-p", "backtab"], "", "Up"),
    def(A::PageDown, Menu, &["pgdn", "ctrl-f"], "", "A page down"),
    def(A::PageUp, Menu, &["pgup", "ctrl-b"], "", "A page up"),
    def(A::DeleteBack, Menu, &["backspace", "ctrl-h"], "", "Delete a character of the search"),
    def(A::Save, Menu, &["ctrl-s"], "save", "Save the chosen filter on a function key"),
    def(A::DeleteForward, Menu, &["delete", "ctrl-d"], "forget", "Free the function key of the chosen filter, or forget it; take a mark away"),
    def(A::Saved(0), Menu, SAVED, "", "Take a saved filter"),
    def(A::Redraw, Menu, &["ctrl-l"], "", "Draw the screen anew"),
    def(A::Suspend, Menu, &["ctrl-z"], "", "Suspend; fg in the shell comes back"),
];
