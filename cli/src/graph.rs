//! Draws a graph of transactions beside their descriptions, newest first, one column for each line of descent.

use crate::style::Style;

/// A transaction and what it stands on; of a merge also what was merged.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) id: u64,
    pub(crate) parents: Vec<u64>,
}

/// One line of the drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The drawing itself.
    pub(crate) drawing: String,
    /// The node that stands on this line; a line without one only connects.
    pub(crate) node: Option<usize>,
}

/// Draws nodes that come newest first; parents that are not among them leave their line open.
pub(crate) fn draw(nodes: &[Node], style: Style) -> Vec<Line> {
    let mut drawing = Drawing { lanes: Vec::new(), lines: Vec::new(), style };
    for (index, node) in nodes.iter().enumerate() {
        drawing.place(index, node);
    }
    drawing.lines
}

struct Drawing {
    /// For each column the transaction that its line leads down to.
    lanes: Vec<Option<u64>>,
    lines: Vec<Line>,
    style: Style,
}

impl Drawing {
    fn place(&mut self, index: usize, node: &Node) {
        let column = self.lane_of(node.id).unwrap_or_else(|| self.open_lane(node.id));
        self.end_others(column, node.id);
        let row = self.row(column, None);
        self.lines.push(Line { drawing: row, node: Some(index) });
        self.lanes[column] = node.parents.first().copied();
        node.parents.iter().skip(1).for_each(|&parent| self.connect(column, parent));
        while self.lanes.last() == Some(&None) {
            self.lanes.pop();
        }
    }

    fn lane_of(&self, id: u64) -> Option<usize> {
        self.lanes.iter().position(|&lane| lane == Some(id))
    }

    fn open_lane(&mut self, id: u64) -> usize {
        match self.lanes.iter().position(Option::is_none) {
            Some(free) => {
                self.lanes[free] = Some(id);
                free
            }
            None => {
                self.lanes.push(Some(id));
                self.lanes.len() - 1
            }
        }
    }

    /// Brings the other lines that lead to this transaction over to its column.
    fn end_others(&mut self, column: usize, id: u64) {
        for other in (column + 1..self.lanes.len()).rev() {
            if self.lanes[other] == Some(id) {
                let row = self.row(column, Some((other, '╯')));
                self.lines.push(Line { drawing: row, node: None });
                self.lanes[other] = None;
            }
        }
    }

    /// Draws the line from a merge to what was merged.
    fn connect(&mut self, column: usize, parent: u64) {
        let (other, end) = match self.lane_of(parent) {
            Some(other) if other == column => return,
            Some(other) => (other, if other < column { '├' } else { '┤' }),
            None => (self.open_lane(parent), '╮'),
        };
        let end = if end == '╮' && other < column { '╭' } else { end };
        let row = self.row(column, Some((other, end)));
        self.lines.push(Line { drawing: row, node: None });
    }

    /// A node's row (`link` absent), or one that links `column` with another.
    fn row(&self, column: usize, link: Option<(usize, char)>) -> String {
        let width = self.lanes.len().max(column + 1);
        let mut text = String::new();
        for lane in 0..width {
            let (glyph, filler) = self.cell(lane, column, link);
            text.push_str(&self.style.numbered(lane, &glyph.to_string()));
            if lane + 1 < width {
                text.push(filler);
            }
        }
        text.trim_end().into()
    }

    fn cell(&self, lane: usize, column: usize, link: Option<(usize, char)>) -> (char, char) {
        let occupied = self.lanes.get(lane).is_some_and(Option::is_some);
        let plain = if occupied { '│' } else { ' ' };
        let Some((other, end)) = link else { return (if lane == column { '●' } else { plain }, ' ') };
        let (left, right) = (column.min(other), column.max(other));
        let filler = if (left..right).contains(&lane) { '─' } else { ' ' };
        let glyph = match lane {
            _ if lane == other => end,
            _ if lane == column => {
                if column < other {
                    '├'
                } else {
                    '┤'
                }
            }
            _ if (left..right).contains(&lane) => {
                if occupied {
                    '┼'
                } else {
                    '─'
                }
            }
            _ => plain,
        };
        (glyph, filler)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(edges: &[(u64, &[u64])]) -> Vec<String> {
        let nodes: Vec<Node> = edges.iter().map(|(id, parents)| Node { id: *id, parents: parents.to_vec() }).collect();
        draw(&nodes, Style::plain()).into_iter().map(|line| line.drawing).collect()
    }

    #[test]
    fn one_branch_is_one_column() {
        assert_eq!(drawn(&[(3, &[2]), (2, &[1]), (1, &[])]), ["●", "●", "●"]);
    }

    #[test]
    fn a_branch_and_its_merge() {
        let lines = drawn(&[(5, &[3, 4]), (4, &[2]), (3, &[2]), (2, &[1]), (1, &[])]);
        assert_eq!(lines, ["●", "├─╮", "│ ●", "● │", "├─╯", "●", "●"]);
    }

    #[test]
    fn two_heads_meet_where_they_parted() {
        let lines = drawn(&[(4, &[1]), (3, &[2]), (2, &[1]), (1, &[])]);
        assert_eq!(lines, ["●", "│ ●", "│ ●", "├─╯", "●"]);
    }

    #[test]
    fn a_link_crosses_what_is_between() {
        let lines = drawn(&[(9, &[5]), (8, &[6]), (7, &[4]), (5, &[3, 7])]);
        assert_eq!(lines, ["●", "│ ●", "│ │ ●", "● │ │", "├─┼─┼─╮"]);
    }

    #[test]
    fn every_node_has_one_line() {
        let nodes: Vec<Node> = (1..=20u64).rev().map(|id| Node { id, parents: vec![id / 2, id / 3] }).collect();
        let placed: Vec<usize> = draw(&nodes, Style::plain()).iter().filter_map(|line| line.node).collect();
        assert_eq!(placed, (0..20).collect::<Vec<_>>());
    }
}
