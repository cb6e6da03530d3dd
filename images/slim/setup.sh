#!/bin/sh
# Runs as root inside the new root file system, in a copy of the recipe's folder, after the packages are installed.
set -eu

# The user, who may become root without a password.
useradd --create-home --uid 1000 --user-group --shell /bin/bash node
install -d -o node -g node /workspace /home/node/workspace /home/node/.local /home/node/.local/bin
echo 'node ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/node
chmod 0440 /etc/sudoers.d/node

# Node comes as an npm package of the binary; under /usr/local/bin npm finds its own place.
mv -f /usr/local/lib/node_modules/node-linux-*/bin/node /usr/local/bin/node
rm -r /usr/local/lib/node_modules/node-linux-* /usr/local/lib/node_modules/npm/docs /usr/local/lib/node_modules/npm/man

# `npm install --global` works for the user without root.
printf 'prefix=${HOME}/.local\nfund=false\nupdate-notifier=false\n' > /home/node/.npmrc
chown node:node /home/node/.npmrc

# There is no init here that could run a package's daemon: installing one must not fail for that.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

# What was not installed by the distribution must run with what it brings.
for program in node npm; do "$program" --version; done
