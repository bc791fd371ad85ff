#!/bin/busybox sh
# The one program of the demo guest: it says on the first serial line who it is and what it has,
# then waits for the power button.

/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 1 > /proc/sys/kernel/printk
exec < /dev/ttyS0 > /dev/ttyS0 2>&1

while read -r module; do
    insmod "/modules/$module"
done < /modules/order

# The button is held open before anything is said, so that no press can come too early.
button=
for event in /sys/class/input/event*; do
    IFS= read -r kind < "$event/device/name"
    if [ "$kind" = "Power Button" ]; then
        exec 3< "/dev/input/${event##*/}"
        button=found
        break
    fi
done

name=
IFS= read -r name < /sys/class/dmi/id/product_sku
printf 'BOOTED %s\n' "$name"

read -r _ memory_kib _ < /proc/meminfo
read -r kernel < /proc/sys/kernel/osrelease
cpus=$(grep -c '^processor' /proc/cpuinfo)
echo "GUEST cpus $cpus, memory $((memory_kib / 1024)) MiB, kernel $kernel"

# A disk that carries the demo's label also counts the boots, in its second sector.
for disk in /sys/block/vd*; do
    [ -e "$disk" ] || continue
    device=${disk##*/}
    read -r sectors < "$disk/size"
    label=
    boots=
    head -c 512 "/dev/$device" | tr -d '\0' > /label
    IFS= read -r label < /label
    if [ "$label" = "computekit demo disk" ]; then
        dd if="/dev/$device" bs=512 skip=1 count=1 2> /dev/null | tr -dc '0-9\n' > /boots
        read -r boots < /boots
        boots=$((boots + 1))
        echo "$boots" | dd of="/dev/$device" bs=512 seek=1 conv=notrunc,fsync 2> /dev/null
        label="$label, boot $boots"
    else
        label="without a label"
    fi
    echo "DISK $device $((sectors / 2048)) MiB, $label"
done

if [ -n "$button" ]; then
    head -c 24 <&3 > /dev/null
    echo "POWER BUTTON"
    sync
    poweroff -f
fi
while :; do
    sleep 3600
done
