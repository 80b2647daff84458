"""Give a command the streams of somebody who attaches: a program of its own, standard library only.

Started as ``python -I -S attach.py SOCKET TTY COMMAND…`` in place of the command. Over the Unix
socket come its standard streams as file descriptors; then it becomes the command. What hinders it
goes back over the socket, which ends without a word when all is well.
"""

import array
import fcntl
import os
import socket
import sys
import termios


def streams(connection):
    """The three descriptors that the server sends."""
    found = array.array("i")
    _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_SPACE(3 * found.itemsize))
    for _, _, data in ancillary:
        found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def main():
    place, tty, *command = sys.argv[1:]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(place)
    for number, descriptor in enumerate(streams(connection)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if tty == "tty":
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        word = "executable file not found in $PATH"
        word = "no such file or directory" if "/" in command[0] else word
    except OSError as error:
        word = error.strerror.lower()
    connection.sendall(word.encode())
    os._exit(127)


main()
