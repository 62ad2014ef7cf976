# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced. apt with sources, lists and caches of its own, a set for each name, under build/apt: the system's stay as
# they are. What /etc/apt/apt.conf.d says (proxies) holds here too.

: "${build:?the folder for what is made, set by who sources this}"

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

debian_codename() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME:-}")
}

# Lines of "URL SUITE" that this machine's apt reads for its own release. --no-release-info: also before the first update.
system_sources() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' |
		awk -v own="$(debian_codename)" '$3 == "main" && ($2 == own || index($2, own "-") == 1) { print $1, $2 }' |
		sort -u
}

# The mirror that has every suite: the one of the machine's own release, best if its path is the usual one, as other
# archives name their suites alike.
debian_mirror() {
	system_sources | awk -v own="$(debian_codename)" '
		$2 == own && $1 ~ /\/debian\/?$/ { print $1; found = 1; exit }
		$2 == own && !other { other = $1 }
		END { if (!found && other) print other }'
}

# private_sources NAME: lines of "URL SUITE" from stdin become the sources of the set NAME.
private_sources() {
	mkdir -p "$build/apt/$1/lists/partial" "$build/apt/$1/cache/archives/partial"
	sed "s|^|deb [signed-by=$debian_keyring] |; s|\$| main|" >"$build/apt/$1/sources.list"
}

# private_apt NAME get|cache ARG...: root is no other user's sandbox here, as that user may not read the build folder.
private_apt() {
	_set=$build/apt/$1
	_tool=$2
	shift 2
	"apt-$_tool" -q -o Dir::Etc::SourceList="$_set/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$_set/lists" -o Dir::Cache="$_set/cache" -o APT::Sandbox::User= "$@"
}
