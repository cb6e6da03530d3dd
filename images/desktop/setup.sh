#!/bin/sh
# Runs as root inside the root file system of `base` with the packages of this recipe, in a copy of the recipe's folder.
set -eu

install -m 0755 carrel-desktop /usr/local/bin/carrel-desktop
install -D -m 0755 desktop-session /usr/local/lib/carrel/desktop-session

# Looks
install -d /usr/local/share/carrel
install -m 0644 files/menu.svg /usr/local/share/carrel/menu.svg
rsvg-convert files/wallpaper.svg -o wallpaper.png
convert wallpaper.png -quality 92 /usr/local/share/carrel/wallpaper.jpg
install -D -m 0644 files/tint2.tint2rc /etc/xdg/tint2/carrel.tint2rc
channels=/etc/xdg/xfce4/xfconf/xfce-perchannel-xml
for channel in xfwm4 xsettings xfce4-desktop; do install -D -m 0644 "files/$channel.xml" "$channels/$channel.xml"; done
install -D -m 0644 files/terminalrc /etc/xdg/xfce4/terminal/terminalrc
install -D -m 0644 files/gtk-3.0.ini /etc/gtk-3.0/settings.ini
install -D -m 0644 files/gtkrc-2.0 /etc/gtk-2.0/gtkrc
fc-cache --system-only

# The browser
install -D -m 0644 files/chromium-flags /etc/chromium.d/carrel
install -D -m 0644 files/chromium-policy.json /etc/chromium/policies/managed/carrel.json
update-alternatives --set x-www-browser /usr/bin/chromium
update-alternatives --set x-terminal-emulator /usr/bin/xfce4-terminal.wrapper

# Sound
install -m 0644 files/pulse.pa /etc/pulse/default.pa
install -m 0644 files/pulse-daemon.conf /etc/pulse/daemon.conf
# The distribution leaves the start to systemd, which does not run here.
rm -f /etc/pulse/client.conf.d/*autospawn.conf
printf 'autospawn = yes\n' > /etc/pulse/client.conf.d/autospawn.conf

# What PaperPod's clients call /workspace is where a computer with a desktop keeps its files.
rmdir /workspace
ln -s /home/node/workspace /workspace

# Computers must not share host keys.
rm -f /etc/ssh/ssh_host_*

for program in Xvnc xfwm4 xfdesktop tint2 thunar xfce4-terminal chromium pulseaudio sshd tmux git; do
  command -v "$program" > /dev/null || { echo "$program is missing"; exit 1; }
done
