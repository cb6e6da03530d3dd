#!/bin/sh
# Runs as root inside the new root file system, in a copy of the recipe's folder, after the packages are installed.
set -eu

# The user, which can become root without a password.
useradd --create-home --uid 1000 --user-group --shell /bin/bash node
install -d -o node -g node /workspace /home/node/workspace /home/node/.local /home/node/.local/bin
echo 'node ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/node
chmod 0440 /etc/sudoers.d/node

# Node comes as an npm package of the binary. From /usr/local/bin, npm finds its own files.
mv -f /usr/local/lib/node_modules/node-linux-*/bin/node /usr/local/bin/node
rm -r /usr/local/lib/node_modules/node-linux-* /usr/local/lib/node_modules/npm/docs /usr/local/lib/node_modules/npm/man

# `npm install --global` works for the user without root.
printf 'prefix=${HOME}/.local\nfund=false\nupdate-notifier=false\n' > /home/node/.npmrc
chown node:node /home/node/.npmrc

# Computers must not share host keys.
rm -f /etc/ssh/ssh_host_*

# There is no init that could run a package's daemon. Installing one must not fail because of that.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

# Check that the programs from npm run with the libraries of the distribution.
for program in node npm; do "$program" --version; done
