use clap::CommandFactory as _;
use clap_mangen::Man;

use super::print;
use crate::args::{Args, ManArgs};
use crate::failure::Failure;

pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let Some(folder) = &args.out else {
        let command = Args::command().disable_help_subcommand(true);
        return print(|out| Man::new(command).render(out));
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Args::command(), folder))
        .map_err(|error| Failure::Other(format!("{}: {error}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_its_options() {
        let folder = std::env::temp_dir().join(format!("s3inv-man-{}", std::process::id()));
        let args = ManArgs { out: Some(folder.clone()) };
        man(&args).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        let overview = page("s3inv-index");
        for command in Args::command().get_subcommands() {
            let name = format!("s3inv-index-{}", command.get_name());
            // A hyphen of a page is written as `\-`.
            assert!(overview.contains(&name.replace('-', "\\-")), "{name}");
            let page = page(&name);
            for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
                let option = format!("--{option}").replace('-', "\\-");
                assert!(page.contains(&option), "{name}: {option}");
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
