#!/bin/sh
# Runs as root inside the new root file system, in a copy of the recipe's folder, after the packages are installed.
set -eu

# The user, who may become root without a password.
useradd --create-home --uid 1000 --user-group --shell /bin/bash node
install -d -o node -g node /workspace /home/node/workspace /home/node/.local /home/node/.local/bin
echo 'node ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/node
chmod 0440 /etc/sudoers.d/node

# Node and Bun come as npm packages of their binaries; under /usr/local/bin npm finds its own place.
mv -f /usr/local/lib/node_modules/node-linux-*/bin/node /usr/local/bin/node
mv -f /usr/local/lib/node_modules/@oven/bun-linux-*/bin/bun /usr/local/bin/bun
chmod 0755 /usr/local/bin/node /usr/local/bin/bun
ln -sf bun /usr/local/bin/bunx
rm -r /usr/local/lib/node_modules/node-linux-* /usr/local/lib/node_modules/@oven
rm -r /usr/local/lib/node_modules/npm/docs /usr/local/lib/node_modules/npm/man

# `npm install --global` works for the user without root.
printf 'prefix=${HOME}/.local\nfund=false\nupdate-notifier=false\n' > /home/node/.npmrc
chown node:node /home/node/.npmrc

# pip neither looks for a newer pip nor warns of being root.
printf '[global]\ndisable-pip-version-check = true\nroot-user-action = ignore\n' > /etc/pip.conf

# Computers must not share host keys.
rm -f /etc/ssh/ssh_host_*

# There is no init here that could run a package's daemon: installing one must not fail for that.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

# Some packages link their manual pages here when they are installed, and fail without it.
mkdir -p /usr/share/man/man1

# Matplotlib's font list takes seconds to make: once here, not in each computer.
sudo --user node --set-home python3 -c 'import matplotlib.font_manager'

# What was not installed by the distribution must run with what it brings.
for program in node npm npx bun bunx; do "$program" --version; done
