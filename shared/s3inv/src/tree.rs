use s3inv_index_format::{FormatError, ReadAt};

use crate::list::{Held, List, Listed, Rest};
use crate::rows::Siblings;
use crate::{Index, Scope};

/// Prefixes whose children are fetched at once: a page each, that is some megabytes.
const AT_ONCE: usize = 64;

/// A prefix of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The prefix and what it has. The first one's prefix is what the scope begins with.
    pub listed: Listed,
    /// What is below it; nothing, where the tree ends.
    pub below: Option<Below>,
}

/// What is below a prefix of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// Some of its children.
    pub children: Vec<Node>,
    /// The others.
    pub rest: Rest,
    /// What lies in the prefix itself.
    pub directly: Held,
}

impl<R: ReadAt> Index<R> {
    /// The tree below a scope: of each prefix the children that a list of it has, so many levels down. Nothing, if the
    /// scope isn't there. From S3, the children of all prefixes of a level are fetched together.
    pub fn tree(&self, scope: &Scope, list: &List) -> Result<Option<Node>, FormatError> {
        self.will_list(scope)?;
        let Some(sums) = self.sums(scope)? else { return Ok(None) };
        let newest = (!sums.dates.is_none()).then_some(sums.dates.newest);
        let Held { count, cost } = self.held(list.filter.counted, &sums.cells);
        let listed = Listed { prefix: scope.text().to_vec(), count, cost, newest };
        let mut root = Node { listed, below: None };
        let one_level = List { levels: 1, ..list.clone() };
        let mut level = vec![&mut root];
        for _ in 0..list.levels {
            // In the order in which their children come.
            level.sort_unstable_by(|a, b| a.listed.prefix.cmp(&b.listed.prefix));
            let mut siblings = Siblings::new(self.reader());
            for nodes in level.chunks_mut(AT_ONCE) {
                self.grow(nodes, &one_level, &mut siblings)?;
            }
            level = level
                .into_iter()
                .filter_map(|node| node.below.as_mut())
                .flat_map(|b| &mut b.children)
                .collect();
        }
        Ok(Some(root))
    }

    /// Gives some prefixes their children.
    fn grow<'a>(
        &'a self,
        nodes: &mut [&mut Node],
        list: &List,
        siblings: &mut Siblings<'a, R>,
    ) -> Result<(), FormatError> {
        let scopes: Vec<_> = nodes.iter().map(|node| Scope::new(node.listed.prefix.clone())).collect();
        self.will_list_children(scopes.iter())?;
        for (node, scope) in nodes.iter_mut().zip(&scopes) {
            let mut children = Vec::new();
            let rest = self.list_rows(siblings.of(scope)?, scope, list, |listed| {
                children.push(Node { listed, below: None });
                Ok::<_, FormatError>(())
            })?;
            let directly = rest.directly_in(scope.text(), node.listed.held())?;
            node.below = Some(Below { children, rest, directly });
        }
        Ok(())
    }
}
