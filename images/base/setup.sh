#!/bin/sh
# Runs as root inside the new root file system, in a copy of the recipe's folder, after the packages are installed.
set -eu

# The user, which can become root without a password.
useradd --create-home --uid 1000 --user-group --shell /bin/bash node
install -d -o node -g node /workspace /home/node/workspace /home/node/.local /home/node/.local/bin
echo 'node ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/node
chmod 0440 /etc/sudoers.d/node

# Node and Bun come as npm packages of their binaries. From /usr/local/bin, npm finds its own files.
mv -f /usr/local/lib/node_modules/node-linux-*/bin/node /usr/local/bin/node
mv -f /usr/local/lib/node_modules/@oven/bun-linux-*/bin/bun /usr/local/bin/bun
chmod 0755 /usr/local/bin/node /usr/local/bin/bun
ln -sf bun /usr/local/bin/bunx
rm -r /usr/local/lib/node_modules/node-linux-* /usr/local/lib/node_modules/@oven
rm -r /usr/local/lib/node_modules/npm/docs /usr/local/lib/node_modules/npm/man

# `npm install --global` works for the user without root.
printf 'prefix=${HOME}/.local\nfund=false\nupdate-notifier=false\n' > /home/node/.npmrc
chown node:node /home/node/.npmrc

# pip does not check for a newer pip, and does not warn about root.
printf '[global]\ndisable-pip-version-check = true\nroot-user-action = ignore\n' > /etc/pip.conf

# Computers must not share host keys.
rm -f /etc/ssh/ssh_host_*

# There is no init that could run a package's daemon. Installing one must not fail because of that.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

# Some packages link their manual pages here during installation, and fail without the directory.
mkdir -p /usr/share/man/man1

# Matplotlib's font list takes seconds to build: build it once here, and not in each computer.
sudo --user node --set-home python3 -c 'import matplotlib.font_manager'

# Check that the programs from npm run with the libraries of the distribution.
for program in node npm npx bun bunx; do "$program" --version; done
